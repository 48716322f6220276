/* Reading of milter.conf: see config.h. */
#include "agents/milter/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define GROUP "milter"

static char *wrong(GError **error, const char *path, const char *key, const char *value, const char *allowed)
{
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: [" GROUP "] %s=%s: must be %s",
                path, key, value, allowed);
    return NULL;
}

char *config_socket(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    struct in6_addr address;
    guint64 number = 7026;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", path, problem->message);
        return NULL;
    }
    g_autofree char *listen = g_key_file_get_string(file, GROUP, "listen", NULL);
    g_autofree char *port = g_key_file_get_string(file, GROUP, "port", NULL);
    if (port && !g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return wrong(error, path, "port", port, "a port number");
    const char *at = listen && *listen ? listen : "127.0.0.1";
    if (inet_pton(AF_INET, at, &address) == 1)
        return g_strdup_printf("inet:%u@%s", (unsigned) number, at);
    if (inet_pton(AF_INET6, at, &address) == 1)
        return g_strdup_printf("inet6:%u@%s", (unsigned) number, at);
    return wrong(error, path, "listen", at, "an IPv4 or IPv6 address of this host");
}
