/* The shard's part of conf/mailboxd/mailboxd.conf: one row a key, with its range
 * and what holds when it is missing. */
#include <string.h>

#include "agents/store/shard/service.h"

#define MIB (1024 * 1024)

static const struct key {
    const char *group, *name;
    size_t offset;
    guint64 min, max, fallback;
} numbers[] = {
    { "mailboxd", "shards", offsetof(shard_settings, store.count), 1, 64, 1 },
    { "shard", "checkpoint_seconds", offsetof(shard_settings, store.checkpoint_seconds), 1, 3600, 60 },
    { "shard", "wal_bytes", offsetof(shard_settings, store.wal_bytes), 1, 1 << 30, 4 * MIB },
    { "shard", "workers", offsetof(shard_settings, store.workers), 1, 64, 4 },
};

static const struct { const char *group, *name; size_t offset; const char *fallback; } strings[] = {
    { "mailboxd", "socket_dir", offsetof(shard_settings, socket_dir), WIRE_STORE_DIR },
    { "shard", "store_dir", offsetof(shard_settings, store.store_dir), PREFIX "/store/0" },
    { "shard", "redolog_dir", offsetof(shard_settings, store.redolog_dir), PREFIX "/redolog" },
    { "shard", "db_dir", offsetof(shard_settings, store.db_dir), PREFIX "/db" },
};

static bool read_number(GKeyFile *file, const char *path, const char *group, const char *name,
                        guint64 min, guint64 max, guint64 fallback, guint64 *ret, GError **error)
{
    g_autofree char *text = g_key_file_get_value(file, group, name, NULL);
    *ret = fallback;
    if (!text || g_ascii_string_to_unsigned(text, 10, min, max, ret, NULL))
        return true;
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                "%s: [%s] %s is \"%s\"; a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " is wanted", path, group, name, text, min, max);
    return false;
}

static bool read_all(shard_settings *s, const char *path, GError **error)
{
    guint64 value;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const struct key *k = &numbers[i];
        if (!read_number(s->file, path, k->group, k->name, k->min, k->max, k->fallback, &value, error))
            return false;
        *(unsigned *) (void *) ((char *) s + k->offset) = (unsigned) value;
    }
    if (!read_number(s->file, path, "shard", "checkpoint_mib", 1, 4096, 64, &value, error))
        return false;
    s->store.checkpoint_bytes = value * MIB;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        char *text = g_key_file_get_string(s->file, strings[i].group, strings[i].name, NULL);
        *(char **) (void *) ((char *) s + strings[i].offset) = text && *text ? text : g_strdup(strings[i].fallback);
        if (text && !*text)
            g_free(text);
    }
    return true;
}

bool shard_settings_load(const char *path, unsigned number, shard_settings *ret, GError **error)
{
    shard_settings s = { .file = g_key_file_new() };
    bool ok = g_key_file_load_from_file(s.file, path, G_KEY_FILE_NONE, error);
    if (!ok)
        g_prefix_error(error, "%s: ", path);
    ok = ok && read_all(&s, path, error);
    if (ok && number >= s.store.count) {
        g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: there is no shard %u, [mailboxd] shards is %u", path, number, s.store.count);
        ok = false;
    }
    if (!ok) {
        shard_settings_clear(&s);
        return false;
    }
    s.store.number = number;
    *ret = s;
    return true;
}

void shard_settings_clear(shard_settings *s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(*(char **) (void *) ((char *) s + strings[i].offset));
    g_key_file_free(s->file);
    memset(s, 0, sizeof *s);
}
