/* Reading of route.conf: see config.h. The lookup hands out tickets to whoever
 * shows a right password and believes the client address it is told, so it
 * listens on loopback only. */
#include "agents/route/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>

#define GROUP "route"

static bool wrong(GError **error, const char *path, const char *key, const char *value, const char *allowed)
{
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: [" GROUP "] %s=%s: must be %s",
                path, key, value, allowed);
    return false;
}

static bool read_number(GKeyFile *file, const char *path, const char *key, guint64 fallback, guint64 max,
                        guint64 *ret, GError **error)
{
    g_autofree char *text = g_key_file_get_value(file, GROUP, key, NULL);
    *ret = fallback;
    if (!text || g_ascii_string_to_unsigned(text, 10, 1, max, ret, NULL))
        return true;
    g_autofree char *allowed = g_strdup_printf("a number from 1 to %" G_GUINT64_FORMAT, max);
    return wrong(error, path, key, text, allowed);
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
    guint64 port, life;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", path, problem->message);
        return NULL;
    }
    g_autofree char *listen = g_key_file_get_string(file, GROUP, "listen", NULL);
    g_autofree char *memcached = g_key_file_get_string(file, GROUP, "memcached", NULL);
    if (!read_number(file, path, "port", 7072, 65535, &port, error) ||
        !read_number(file, path, "route_life", 3600, 30 * 86400, &life, error) ||
        !set_listen(c, path, listen ? listen : "127.0.0.1", port, error) ||
        !set_memcached(c, path, memcached, error))
        return NULL;
    c->route_life_sec = (unsigned) life;
    return g_steal_pointer(&c);
}

void config_free(config *c)
{
    if (!c)
        return;
    g_strfreev(c->memcached);
    g_free(c);
}
