/* Private: localconfig.xml to and from a table of strings. */
#ifndef MAILSTEAD_LOCALCONFIG_FILE_H
#define MAILSTEAD_LOCALCONFIG_FILE_H

#include <glib.h>
#include <stdbool.h>

#define LOCALCONFIG_FILE_MAX (1024 * 1024)

/* Text of a localconfig.xml into VALUES (char* -> char*). PATH stands in errors. */
bool localconfig_parse(const char *path, const char *text, size_t len, GHashTable *values, GError **error);
/* The opposite, keys in order; caller frees. */
char *localconfig_format(GHashTable *values);

/* Reads PATH; no such file: VALUES stays as it is. */
bool localconfig_read(const char *path, GHashTable *values, GError **error);
/* Replaces PATH durably, keeping owner and mode (0640 zimbra:zimbra when new). */
bool localconfig_write(const char *path, const char *text, GError **error);

#endif
