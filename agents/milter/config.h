/* conf/milter/milter.conf: what zmconfigd renders for zmmilter. */
#ifndef MAILSTEAD_AGENTS_MILTER_CONFIG_H
#define MAILSTEAD_AGENTS_MILTER_CONFIG_H

#include <glib.h>

#define CONFIG_PATH PREFIX "/conf/milter/milter.conf"

/* Group [milter], keys listen (one address, 127.0.0.1 when absent or empty) and
 * port (7026), in libmilter's form "inet:PORT@ADDRESS". NULL with an error that
 * names file, key and what is allowed. Caller frees. */
char *config_socket(const char *path, GError **error);

#endif
