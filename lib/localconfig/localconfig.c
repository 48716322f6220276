/* The settings of this host: table of keys, file, expansion.
 *
 * A handle has the values of the file as it was read and a list of changes not
 * yet saved (NULL value: removed). Saving takes a lock on the folder, reads the
 * file anew and applies the changes to that, so two editors at the same time
 * lose nothing of each other. The file's own format is file.c's, the keys and
 * their defaults are keys.c's. */
#include "lib/localconfig/localconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/localconfig/file.h"
#include "lib/localconfig/keys.h"

#define EXPANSION_DEPTH 16
#define EXPANSION_MAX   (64 * 1024)

struct localconfig {
    char *path;
    GHashTable *values;         /* key -> value as in the file, unsaved changes included */
    GHashTable *changes;        /* key -> value, NULL: removed */
    GHashTable *expanded;       /* key -> value handed out */
};

G_DEFINE_QUARK(localconfig-error-quark, localconfig_error)

static int key_cmp(const void *name, const void *row)
{
    return strcmp(name, ((const localconfig_key *) row)->name);
}

const localconfig_key *localconfig_key_find(const char *key)
{
    return bsearch(key, localconfig_keys_table, localconfig_keys_count, sizeof *localconfig_keys_table, key_cmp);
}

const char *localconfig_key_name(const char *key)
{
    for (size_t i = 0; i < localconfig_alias_count; i++)
        if (g_str_equal(key, localconfig_alias_table[i].name))
            return localconfig_alias_table[i].key;
    return key;
}

/* The file may have been written by hand with another spelling. */
static GHashTable *under_their_names(GHashTable *read)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter i;
    gpointer key, value;
    g_hash_table_iter_init(&i, read);
    while (g_hash_table_iter_next(&i, &key, &value)) {
        const char *name = localconfig_key_name(key);
        if (g_str_equal(name, key) || !g_hash_table_contains(read, name))
            g_hash_table_insert(values, g_strdup(name), g_strdup(value));
    }
    return values;
}

static GHashTable *read_values(const char *path, GError **error)
{
    g_autoptr(GHashTable) read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return localconfig_read(path, read, error) ? under_their_names(read) : NULL;
}

localconfig *localconfig_load(const char *path, GError **error)
{
    if (!path)
        path = g_getenv("MAILSTEAD_LOCALCONFIG");
    if (!path || !*path)
        path = LOCALCONFIG_PATH;
    char *resolved = realpath(path, NULL);
    GHashTable *values = read_values(resolved ? resolved : path, error);
    if (!values) {
        free(resolved);
        return NULL;
    }
    localconfig *lc = g_new0(localconfig, 1);
    lc->path = g_strdup(resolved ? resolved : path);
    free(resolved);
    lc->values = values;
    lc->changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    lc->expanded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return lc;
}

void localconfig_free(localconfig *lc)
{
    if (!lc)
        return;
    g_hash_table_unref(lc->values);
    g_hash_table_unref(lc->changes);
    g_hash_table_unref(lc->expanded);
    g_free(lc->path);
    g_free(lc);
}

const char *localconfig_path(const localconfig *lc)
{
    return lc->path;
}

const char *localconfig_default(const char *key)
{
    const localconfig_key *k = localconfig_key_find(localconfig_key_name(key));
    return k ? k->value : NULL;
}

bool localconfig_is_known(const char *key)
{
    return localconfig_key_find(localconfig_key_name(key)) != NULL;
}

static bool has_flag(const char *key, unsigned flag)
{
    const localconfig_key *k = localconfig_key_find(localconfig_key_name(key));
    return k && (k->flags & flag);
}

bool localconfig_is_supported(const char *key)
{
    return has_flag(key, KEY_SUPPORTED);
}

bool localconfig_is_protected(const char *key)
{
    return has_flag(key, KEY_PROTECTED);
}

bool localconfig_is_secret(const char *key)
{
    static const char *const endings[] = { "_password", "_passwd", "_secret", "_community" };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(key, endings[i]))
            return true;
    return false;
}

bool localconfig_valid_key(const char *key)
{
    size_t len = strlen(key);
    if (len == 0 || len > 128)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(key[i]) && !strchr("_-.", key[i]))
            return false;
    return true;
}

bool localconfig_check(const char *key, const char *value, GError **error)
{
    if (!localconfig_valid_key(key)) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_SYNTAX,
                    "\"%s\" is not a name of a key: letters, digits, '_', '-' and '.' only", key);
        return false;
    }
    bool plain = g_utf8_validate(value, -1, NULL) && strlen(value) < EXPANSION_MAX;
    for (const char *p = value; plain && *p; p++)
        plain = (unsigned char) *p >= 0x20 || *p == '\t' || *p == '\n';
    if (!plain)
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_SYNTAX,
                    "the value of %s must be UTF-8 text without control characters, below 64 KiB", key);
    return plain;
}

const char *localconfig_get_raw(localconfig *lc, const char *key)
{
    key = localconfig_key_name(key);
    const char *value = g_hash_table_lookup(lc->values, key);
    return value ? value : localconfig_default(key);
}

/* Appends TEXT with its ${key} expanded. A reference to an unknown key stays as
 * it is written. */
static bool expand(localconfig *lc, const char *key, const char *text, int depth, GString *out, GError **error)
{
    if (depth > EXPANSION_DEPTH) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_LOOP, "the value of %s refers to itself through ${...}",
                    key);
        return false;
    }
    for (const char *open; (open = strstr(text, "${")) != NULL; ) {
        const char *end = strchr(open, '}');
        if (!end)
            break;
        g_string_append_len(out, text, open - text);
        g_autofree char *name = g_strndup(open + 2, (gsize) (end - open - 2));
        const char *value = localconfig_get_raw(lc, name);
        if (!value)
            g_string_append_len(out, open, end + 1 - open);
        else if (!expand(lc, key, value, depth + 1, out, error))
            return false;
        text = end + 1;
    }
    g_string_append(out, text);
    if (out->len > EXPANSION_MAX) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_LOOP,
                    "the value of %s grows beyond 64 KiB through ${...}", key);
        return false;
    }
    return true;
}

char *localconfig_expand(localconfig *lc, const char *key, GError **error)
{
    const char *raw = localconfig_get_raw(lc, key);
    g_autoptr(GString) out = g_string_new(NULL);
    if (raw && !expand(lc, key, raw, 0, out, error))
        return NULL;
    return g_strdup(out->str);
}

const char *localconfig_get(localconfig *lc, const char *key)
{
    key = localconfig_key_name(key);
    const char *known = g_hash_table_lookup(lc->expanded, key);
    if (known)
        return known;
    if (!localconfig_get_raw(lc, key))
        return NULL;
    char *value = localconfig_expand(lc, key, NULL);
    if (value)
        g_hash_table_insert(lc->expanded, g_strdup(key), value);
    return value;
}

const char *localconfig_get_or(localconfig *lc, const char *key, const char *fallback)
{
    const char *value = localconfig_get(lc, key);
    return value ? value : fallback;
}

bool localconfig_get_bool(localconfig *lc, const char *key, bool fallback)
{
    static const struct { const char *word; bool value; } words[] = {
        { "true", true }, { "yes", true }, { "1", true }, { "on", true },
        { "false", false }, { "no", false }, { "0", false }, { "off", false },
    };
    const char *value = localconfig_get(lc, key);
    for (size_t i = 0; value && i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(value, words[i].word) == 0)
            return words[i].value;
    return fallback;
}

gint64 localconfig_get_int(localconfig *lc, const char *key, gint64 fallback)
{
    const char *value = localconfig_get(lc, key);
    gint64 n = fallback;
    if (value && !g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &n, NULL))
        return fallback;
    return n;
}

static void change(localconfig *lc, const char *key, const char *value)
{
    if (value)
        g_hash_table_insert(lc->values, g_strdup(key), g_strdup(value));
    else
        g_hash_table_remove(lc->values, key);
    g_hash_table_insert(lc->changes, g_strdup(key), g_strdup(value));
    g_hash_table_remove_all(lc->expanded);
}

void localconfig_set(localconfig *lc, const char *key, const char *value)
{
    key = localconfig_key_name(key);
    change(lc, key, g_strcmp0(value, localconfig_default(key)) == 0 ? NULL : value);
}

void localconfig_unset(localconfig *lc, const char *key)
{
    change(lc, localconfig_key_name(key), NULL);
}

static bool save_locked(localconfig *lc, GError **error)
{
    GHashTable *now = read_values(lc->path, error);
    if (!now)
        return false;
    GHashTableIter i;
    gpointer key, value;
    g_hash_table_iter_init(&i, lc->changes);
    while (g_hash_table_iter_next(&i, &key, &value)) {
        if (value)
            g_hash_table_insert(now, g_strdup(key), g_strdup(value));
        else
            g_hash_table_remove(now, key);
    }
    g_autofree char *text = localconfig_format(now);
    bool ok = localconfig_write(lc->path, text, error);
    if (ok) {
        g_hash_table_remove_all(lc->changes);
        g_hash_table_remove_all(lc->expanded);
        GHashTable *old = lc->values;
        lc->values = g_steal_pointer(&now);
        g_hash_table_unref(old);
    } else {
        g_hash_table_unref(now);
    }
    return ok;
}

bool localconfig_save(localconfig *lc, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(lc->path);
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_WRITE, "cannot lock %s: %s", folder, g_strerror(errno));
        if (lock >= 0)
            (void) close(lock); /* never locked */
        return false;
    }
    bool ok = save_locked(lc, error);
    (void) close(lock); /* releases the lock; nothing was written through it */
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

char **localconfig_keys(localconfig *lc, bool changed_only)
{
    GPtrArray *keys = g_ptr_array_new();
    GHashTableIter i;
    gpointer key;
    g_hash_table_iter_init(&i, lc->values);
    while (g_hash_table_iter_next(&i, &key, NULL))
        g_ptr_array_add(keys, g_strdup(key));
    for (size_t k = 0; !changed_only && k < localconfig_keys_count; k++)
        if (!g_hash_table_contains(lc->values, localconfig_keys_table[k].name))
            g_ptr_array_add(keys, g_strdup(localconfig_keys_table[k].name));
    qsort(keys->pdata, keys->len, sizeof *keys->pdata, by_name);
    g_ptr_array_add(keys, NULL);
    return (char **) g_ptr_array_free(keys, FALSE);
}
