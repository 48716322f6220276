/* A text file on its way into a compressed one. */
#ifndef MAILSTEAD_STATS_ARCHIVE_H
#define MAILSTEAD_STATS_ARCHIVE_H

#include <glib.h>
#include <stdbool.h>

/* Compresses PATH to TO (in FOLDER, made when it is not there) behind what TO has
 * already, then removes PATH. After a failure or a kill both are as they were, or
 * TO is complete. */
bool archive_move(const char *path, const char *folder, const char *to, GError **error);

#endif
