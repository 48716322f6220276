/* Reading of route.conf: see config.h. The lookup hands out tickets to whoever
 * shows a right password and believes the client address it is told, so it
 * listens on loopback only. */
#include "agents/route/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/schema/schema.h"

#define GROUP "route"

static bool wrong(GError **error, const char *path, const char *key, const char *value, const char *allowed)
{
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: [" GROUP "] %s=%s: must be %s",
                path, key, value, allowed);
    return false;
}

typedef struct { const char *key, *fallback; bool duration; guint64 max; size_t offset, unit_ms; } number_row;

#define AT(member) offsetof(config, member)
static const number_row numbers[] = {
    { "cache_ttl", "1h", true, 30ull * 86400 * 1000, AT(cache_ttl_sec), 1000 },
    { "cache_timeout", "3s", true, 60 * 1000, AT(cache_timeout_ms), 1 },
    { "auth_wait", "10s", true, 60 * 1000, AT(auth_wait_sec), 1000 },
    { "login_limit_ip", "0", false, G_MAXINT32, AT(login_limit_ip), 1 },
    { "login_limit_ip_seconds", "3600", false, G_MAXINT32, AT(login_limit_ip_sec), 1 },
    { "login_limit_user", "0", false, G_MAXINT32, AT(login_limit_user), 1 },
    { "login_limit_user_seconds", "3600", false, G_MAXINT32, AT(login_limit_user_sec), 1 },
};

static char *value_of(GKeyFile *file, const char *key)
{
    char *text = g_key_file_get_value(file, GROUP, key, NULL);
    if (text && *g_strstrip(text))
        return text;
    g_free(text);
    return NULL;
}

static bool read_number(GKeyFile *file, const char *path, const number_row *row, config *c, GError **error)
{
    g_autofree char *text = value_of(file, row->key);
    const char *from = text ? text : row->fallback;
    guint64 v = 0;
    gint64 ms = row->duration ? schema_duration_ms(from) : 0;
    bool good = row->duration ? ms >= 0 && (guint64) ms <= row->max
                              : g_ascii_string_to_unsigned(from, 10, 0, row->max, &v, NULL);
    if (!good)
        return wrong(error, path, row->key, from, row->duration ? "a duration such as 10s or 1h" : "a number");
    unsigned *to = (unsigned *) (void *) ((char *) c + row->offset);
    *to = (unsigned) ((row->duration ? (guint64) ms : v) / row->unit_ms);
    return true;
}

static bool set_listen(config *c, const char *path, const char *text, guint64 port, GError **error)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *) &c->listen;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &c->listen;
    if (inet_pton(AF_INET, text, &in4->sin_addr) == 1 && ntohl(in4->sin_addr.s_addr) >> 24 == 127) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons((uint16_t) port);
        c->listen_len = sizeof *in4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr)) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t) port);
        c->listen_len = sizeof *in6;
        return true;
    }
    return wrong(error, path, "listen", text, "a loopback address (127.0.0.1 or ::1)");
}

static bool set_memcached(config *c, const char *path, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text ? text : "", ", ;", -1);
    g_autoptr(GPtrArray) servers = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        const char *colon = strrchr(words[i], ':');
        guint64 port;
        if (!colon || colon == words[i] || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
            return wrong(error, path, "memcached", text, "a list of host:port");
        g_ptr_array_add(servers, g_strdup(words[i]));
    }
    g_ptr_array_add(servers, NULL);
    c->memcached = (char **) g_ptr_array_free(g_steal_pointer(&servers), FALSE);
    return true;
}

config *config_load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    g_autoptr(config) c = g_new0(config, 1);
    guint64 port = 7072;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", path, problem->message);
        return NULL;
    }
    g_autofree char *listen = value_of(file, "listen"), *port_text = value_of(file, "port");
    g_autofree char *memcached = value_of(file, "memcached");
    if (port_text && !g_ascii_string_to_unsigned(port_text, 10, 1, 65535, &port, NULL)) {
        (void) wrong(error, path, "port", port_text, "a port number");
        return NULL;
    }
    if (!set_listen(c, path, listen ? listen : "127.0.0.1", port, error) ||
        !set_memcached(c, path, memcached, error))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!read_number(file, path, &numbers[i], c, error))
            return NULL;
    return g_steal_pointer(&c);
}

void config_free(config *c)
{
    if (!c)
        return;
    g_strfreev(c->memcached);
    g_free(c);
}
