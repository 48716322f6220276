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

/* Caller frees. */
static char *value_of(GKeyFile *file, const char *key, const char *fallback)
{
    g_autofree char *text = g_key_file_get_value(file, GROUP, key, NULL);
    return g_strdup(text && *g_strstrip(text) ? text : fallback);
}

char *config_socket(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    struct in6_addr address;
    guint64 number;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", path, problem->message);
        return NULL;
    }
    g_autofree char *at = value_of(file, "listen", "127.0.0.1");
    g_autofree char *port = value_of(file, "port", "7026");
    if (!g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return wrong(error, path, "port", port, "a port number");
    if (inet_pton(AF_INET, at, &address) == 1)
        return g_strdup_printf("inet:%u@%s", (unsigned) number, at);
    if (inet_pton(AF_INET6, at, &address) == 1)
        return g_strdup_printf("inet6:%u@%s", (unsigned) number, at);
    return wrong(error, path, "listen", at, "one IPv4 or IPv6 address of this host");
}
