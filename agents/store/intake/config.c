/* intake's part of conf/mailboxd/mailboxd.conf: one row a key, with its range. */
#include "agents/store/intake/intake.h"

#include <unistd.h>

#include "agents/store/wire/wire.h"

typedef enum { KEY_STRING, KEY_UNSIGNED, KEY_SIZE, KEY_BOOL } key_kind;

static const struct key {
    const char *group, *name;
    key_kind kind;
    size_t offset;
    guint64 min, max, fallback;
} keys[] = {
    { "mailboxd", "hostname",            KEY_STRING,   offsetof(intake_config, hostname), 0, 0, 0 },
    { "mailboxd", "shards",              KEY_UNSIGNED, offsetof(intake_config, shards), 1, 64, 1 },
    { "mailboxd", "socket_dir",          KEY_STRING,   offsetof(intake_config, socket_dir), 0, 0, 0 },
    { "intake",   "auth_socket",         KEY_STRING,   offsetof(intake_config, auth_socket), 0, 0, 0 },
    { "intake",   "advertised_name",     KEY_STRING,   offsetof(intake_config, advertised_name), 0, 0, 0 },
    { "intake",   "max_message_size",    KEY_SIZE,     offsetof(intake_config, max_message_size), 0, G_MAXUINT32 - 4096, 0 },
    { "intake",   "max_recipients",      KEY_UNSIGNED, offsetof(intake_config, max_recipients), 1, WIRE_LIST_MAX, WIRE_LIST_MAX },
    { "intake",   "max_line",            KEY_UNSIGNED, offsetof(intake_config, max_line), 512, 65536, 10240 },
    { "intake",   "max_sessions",        KEY_UNSIGNED, offsetof(intake_config, max_sessions), 1, 10000, 500 },
    { "intake",   "idle_timeout",        KEY_UNSIGNED, offsetof(intake_config, idle_timeout), 1, 3600, 600 },
    { "intake",   "over_quota_permanent",KEY_BOOL,     offsetof(intake_config, over_quota_permanent), 0, 1, 0 },
};

static bool read_number(GKeyFile *file, const struct key *k, guint64 *ret, GError **error)
{
    g_autofree char *text = g_key_file_get_value(file, k->group, k->name, NULL);
    *ret = k->fallback;
    if (!text || g_ascii_string_to_unsigned(text, 10, k->min, k->max, ret, NULL))
        return true;
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                "[%s] %s is \"%s\": a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " is wanted",
                k->group, k->name, text, k->min, k->max);
    return false;
}

static bool read_bool(GKeyFile *file, const struct key *k, bool *ret, GError **error)
{
    g_autofree char *text = g_key_file_get_value(file, k->group, k->name, NULL);
    bool yes = text && g_ascii_strcasecmp(text, "true") == 0;
    if (text && !yes && g_ascii_strcasecmp(text, "false") != 0) {
        g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                    "[%s] %s is \"%s\": true or false is wanted", k->group, k->name, text);
        return false;
    }
    *ret = yes;
    return true;
}

static bool read_key(GKeyFile *file, const struct key *k, intake_config *c, GError **error)
{
    void *slot = (char *) c + k->offset;
    guint64 number = 0;
    switch (k->kind) {
    case KEY_STRING:
        *(char **) slot = g_key_file_get_string(file, k->group, k->name, NULL);
        return true;
    case KEY_BOOL:
        return read_bool(file, k, slot, error);
    case KEY_UNSIGNED:
    case KEY_SIZE:
        if (!read_number(file, k, &number, error))
            return false;
        if (k->kind == KEY_SIZE)
            *(uint64_t *) slot = number;
        else
            *(unsigned *) slot = (unsigned) number;
        return true;
    }
    return false;
}

static void fill(char **slot, const char *fallback)
{
    if (!*slot || !**slot) {
        g_free(*slot);
        *slot = g_strdup(fallback);
    }
}

static void fill_strings(intake_config *c)
{
    char host[256] = "localhost";
    if (gethostname(host, sizeof host - 1) < 0)
        g_strlcpy(host, "localhost", sizeof host);
    fill(&c->hostname, host);
    fill(&c->advertised_name, c->hostname);
    fill(&c->socket_dir, WIRE_STORE_DIR);
    fill(&c->auth_socket, AUTH_SOCKET);
}

bool intake_config_load(const char *path, intake_config *ret, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) e = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &e) && !g_error_matches(e, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&e), "%s: ", path);
        return false;
    }
    intake_config c = { 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!read_key(file, &keys[i], &c, error)) {
            g_prefix_error(error, "%s: ", path);
            intake_config_clear(&c);
            return false;
        }
    }
    fill_strings(&c);
    *ret = c;
    return true;
}

void intake_config_clear(intake_config *c)
{
    g_clear_pointer(&c->hostname, g_free);
    g_clear_pointer(&c->advertised_name, g_free);
    g_clear_pointer(&c->socket_dir, g_free);
    g_clear_pointer(&c->auth_socket, g_free);
}
