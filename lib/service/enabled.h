/* The file of the enabled set, for those who say which file (the generator and
 * the tests); everybody else uses service_set_enabled() and
 * service_get_enabled(). One name a line; "#" begins a comment line. */
#ifndef MAILSTEAD_SERVICE_ENABLED_H
#define MAILSTEAD_SERVICE_ENABLED_H

#include <glib.h>
#include <stdbool.h>

/* Replaces PATH durably: temporary file, fsync, rename, fsync of the folder.
 * Every name must be in the table. */
bool enabled_write(const char *path, const char *const *names, GError **error);

/* Names of PATH in file order, without doubles. A file that does not exist is
 * SERVICE_ERROR_UNKNOWN ("not set up"); names not in the table are left out,
 * because a newer release may have written them. */
char **enabled_read(const char *path, GError **error);

#endif
