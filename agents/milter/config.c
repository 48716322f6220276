/* Reading of milter.conf: see config.h. */
#include "agents/milter/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define GROUP "milter"

static config *wrong(GError **error, const char *path, const char *key, const char *value, const char *allowed)
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

config *config_load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    g_autoptr(config) c = g_new0(config, 1);
    struct in6_addr address;
    guint64 number;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", path, problem->message);
        return NULL;
    }
    g_autofree char *enabled = value_of(file, "enabled", "true");
    g_autofree char *at = value_of(file, "bind_address", "127.0.0.1");
    g_autofree char *port = value_of(file, "port", "7026");
    if (!g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return wrong(error, path, "port", port, "a port number");
    if (g_ascii_strcasecmp(enabled, "true") != 0 && g_ascii_strcasecmp(enabled, "false") != 0)
        return wrong(error, path, "enabled", enabled, "true or false");
    c->enabled = g_ascii_strcasecmp(enabled, "true") == 0;
    if (inet_pton(AF_INET, at, &address) == 1)
        c->socket = g_strdup_printf("inet:%u@%s", (unsigned) number, at);
    else if (inet_pton(AF_INET6, at, &address) == 1)
        c->socket = g_strdup_printf("inet6:%u@%s", (unsigned) number, at);
    else
        return wrong(error, path, "bind_address", at, "one IPv4 or IPv6 address of this host");
    return g_steal_pointer(&c);
}

void config_free(config *c)
{
    if (!c)
        return;
    g_free(c->socket);
    g_free(c);
}
