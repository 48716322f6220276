/* conf/milter/milter.conf: what zmconfigd renders for zmmilter. */
#ifndef MAILSTEAD_AGENTS_MILTER_CONFIG_H
#define MAILSTEAD_AGENTS_MILTER_CONFIG_H

#include <glib.h>

#define CONFIG_PATH PREFIX "/conf/milter/milter.conf"

/* [milter] listen (an address, default 127.0.0.1) and port (7026) as libmilter
 * wants them: "inet:PORT@ADDRESS". NULL with an error that names file, key and
 * what is allowed. Caller frees. */
char *config_socket(const char *path, GError **error);

#endif
