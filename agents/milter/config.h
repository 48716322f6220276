/* conf/milter/milter.conf: what zmconfigd renders for zmmilter. */
#ifndef MAILSTEAD_AGENTS_MILTER_CONFIG_H
#define MAILSTEAD_AGENTS_MILTER_CONFIG_H

#include <glib.h>
#include <stdbool.h>

#define CONFIG_PATH PREFIX "/conf/milter/milter.conf"

typedef struct {
    bool enabled;      /* false: everything passes */
    char *socket;      /* as libmilter wants it: "inet:PORT@ADDRESS" */
} config;

/* Group [milter]; a key that is absent or empty has its default: enabled true,
 * bind_address 127.0.0.1 (one address), port 7026. The error names file, key and
 * what is allowed. */
config *config_load(const char *path, GError **error);
void config_free(config *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config, config_free)

#endif
