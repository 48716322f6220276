/* Reads mailboxd.conf. A value that cannot be right is an error that names file,
 * key and what is allowed; absent keys have the appliance's defaults. */
#include "agents/store/login/config.h"

#include "agents/store/wire/wire.h"

static char *string_key(GKeyFile *file, const char *group, const char *key, const char *fallback)
{
    char *s = g_key_file_get_string(file, group, key, NULL);
    return s ? g_strstrip(s) : g_strdup(fallback);
}

typedef struct { const char *group, *key; unsigned fallback, min, max; size_t offset; } number_key;

#define NUMBER(group, member, fallback, min, max) { group, #member, fallback, min, max, offsetof(login_config, member) }
static const number_key numbers[] = {
    NUMBER("mailboxd", shards, 1, 1, 64),
    NUMBER("login", lmtp_port, 7025, 0, 65535), NUMBER("login", imap_port, 7143, 0, 65535),
    NUMBER("login", imaps_port, 7993, 0, 65535), NUMBER("login", pop3_port, 7110, 0, 65535),
    NUMBER("login", pop3s_port, 7995, 0, 65535),
    NUMBER("login", max_connections, 20000, 1, 1000000), NUMBER("login", max_per_address, 100, 1, 1000000),
    NUMBER("login", timeout_seconds, 60, 5, 3600), NUMBER("login", failure_delay_ms, 2000, 0, 60000),
};

static bool load_numbers(GKeyFile *file, const char *path, login_config *c, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const number_key *k = &numbers[i];
        g_autofree char *text = string_key(file, k->group, k->key, "");
        guint64 v = k->fallback;
        if (*text && !g_ascii_string_to_unsigned(text, 10, k->min, k->max, &v, NULL)) {
            g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                        "%s: [%s] %s = %s: must be a number from %u to %u", path, k->group, k->key, text, k->min, k->max);
            return false;
        }
        G_STRUCT_MEMBER(unsigned, c, k->offset) = (unsigned) v;
    }
    return true;
}

/* Words separated by blanks or commas: addresses or address/bits, IPv6 perhaps in
 * brackets as Postfix writes it. */
static GPtrArray *load_networks(GKeyFile *file, const char *path, const char *key, const char *fallback, GError **error)
{
    g_autofree char *text = string_key(file, "login", key, fallback);
    g_auto(GStrv) bare = g_strsplit_set(text, "[]", -1);
    g_autofree char *plain = g_strjoinv("", bare);
    g_auto(GStrv) words = g_strsplit_set(plain, " ,;\t", -1);
    g_autoptr(GPtrArray) masks = g_ptr_array_new_with_free_func(g_object_unref);
    for (size_t i = 0; words[i]; i++) {
        if (*words[i] == 0)
            continue;
        GInetAddressMask *mask = g_inet_address_mask_new_from_string(words[i], NULL);
        if (!mask) {
            g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                        "%s: [login] %s: %s is no address or network (10.0.0.0/8, ::1)", path, key, words[i]);
            return NULL;
        }
        g_ptr_array_add(masks, mask);
    }
    return g_steal_pointer(&masks);
}

static bool load_bool(GKeyFile *file, const char *path, const char *key, bool *ret, GError **error)
{
    g_autofree char *text = string_key(file, "login", key, "FALSE");
    bool yes = g_ascii_strcasecmp(text, "TRUE") == 0;
    if (!yes && g_ascii_strcasecmp(text, "FALSE") != 0) {
        g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: [login] %s = %s: must be TRUE or FALSE", path, key, text);
        return false;
    }
    *ret = yes;
    return true;
}

login_config *login_config_load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "cannot read %s (zmconfigd renders it): ", path);
        return NULL;
    }
    g_autoptr(login_config) c = g_new0(login_config, 1);
    c->hostname = string_key(file, "mailboxd", "hostname", "");
    c->bind_address = string_key(file, "login", "bind_address", "");
    c->certificate = string_key(file, "login", "certificate", "");
    c->key = string_key(file, "login", "key", "");
    c->auth_socket = string_key(file, "login", "auth_socket", NULL);
    c->store_dir = string_key(file, "mailboxd", "socket_dir", WIRE_STORE_DIR);
    g_autofree char *hosts = string_key(file, "login", "lmtp_hosts", "");
    c->lmtp_hosts = g_strsplit_set(hosts, " ,;\t", -1);
    c->trusted_proxies = load_networks(file, path, "trusted_proxies", "127.0.0.1 ::1", error);
    c->lmtp_networks = c->trusted_proxies ? load_networks(file, path, "lmtp_networks", "127.0.0.0/8 ::1", error) : NULL;
    if (!c->lmtp_networks || !load_numbers(file, path, c, error) || !load_bool(file, path, "cleartext_login", &c->cleartext_login, error))
        return NULL;
    return g_steal_pointer(&c);
}

void login_config_free(login_config *c)
{
    if (!c)
        return;
    g_clear_pointer(&c->trusted_proxies, g_ptr_array_unref);
    g_clear_pointer(&c->lmtp_networks, g_ptr_array_unref);
    g_strfreev(c->lmtp_hosts);
    g_free(c->hostname);
    g_free(c->bind_address);
    g_free(c->certificate);
    g_free(c->key);
    g_free(c->auth_socket);
    g_free(c->store_dir);
    g_free(c);
}

bool login_network_matches(const GPtrArray *masks, const char *address)
{
    g_autoptr(GInetAddress) a = g_inet_address_new_from_string(address);
    for (guint i = 0; a && i < masks->len; i++) {
        GInetAddressMask *mask = g_ptr_array_index(masks, i);
        if (g_inet_address_mask_get_family(mask) == g_inet_address_get_family(a) && g_inet_address_mask_matches(mask, a))
            return true;
    }
    return false;
}
