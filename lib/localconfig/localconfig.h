/* This host's own settings and secrets: conf/localconfig.xml.
 *
 * Guide ch. 8 and appendix A (zmlocalconfig). Most keys have a built-in default
 * (keys.c; passwords have none); the file holds only what differs. The file is
 * 0640 zimbra:zimbra and is replaced atomically (write, fsync, rename, fsync of
 * the folder). Values may refer to other keys as ${key}. Other spellings of the
 * guide (bounce_queue_lifetime) name the same key. */
#ifndef MAILSTEAD_LOCALCONFIG_H
#define MAILSTEAD_LOCALCONFIG_H

#include <glib.h>
#include <stdbool.h>

#define LOCALCONFIG_PATH PREFIX "/conf/localconfig.xml"

typedef struct localconfig localconfig;

/* Reads PATH (NULL: LOCALCONFIG_PATH, or $MAILSTEAD_LOCALCONFIG when set). A
 * file that does not exist is an empty one: all defaults. */
localconfig *localconfig_load(const char *path, GError **error);
void localconfig_free(localconfig *lc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(localconfig, localconfig_free)

/* The value with ${key} expanded, or the default, or NULL when the key has
 * neither. Borrowed; valid until the next set/unset/free. */
const char *localconfig_get(localconfig *lc, const char *key);
/* Same, never NULL: FALLBACK when the key has no value. */
const char *localconfig_get_or(localconfig *lc, const char *key, const char *fallback);
bool localconfig_get_bool(localconfig *lc, const char *key, bool fallback);
gint64 localconfig_get_int(localconfig *lc, const char *key, gint64 fallback);

/* True when the key is known to the table (has a default or is a declared key). */
bool localconfig_is_known(const char *key);
/* Built-in default, NULL when none. */
const char *localconfig_default(const char *key);
/* True for keys whose value is masked without zmlocalconfig -s. */
bool localconfig_is_secret(const char *key);

/* Meant for administrators (zmlocalconfig -i); dangerous to change (-f). */
bool localconfig_is_supported(const char *key);
bool localconfig_is_protected(const char *key);
/* Letters, digits, '_', '-', '.'; at most 128. */
bool localconfig_valid_key(const char *key);
/* KEY and VALUE can be stored: ask before set when they come from outside. */
bool localconfig_check(const char *key, const char *value, GError **error);

/* The value without expansion, NULL none; borrowed like localconfig_get's. */
const char *localconfig_get_raw(localconfig *lc, const char *key);
/* Like localconfig_get, but says what is wrong (LOOP) and gives "" for a key
 * without value. Caller frees. */
char *localconfig_expand(localconfig *lc, const char *key, GError **error);
/* The file in use, links followed. */
const char *localconfig_path(const localconfig *lc);

/* A value equal to the default removes the key from the file. */
void localconfig_set(localconfig *lc, const char *key, const char *value);
void localconfig_unset(localconfig *lc, const char *key);
bool localconfig_save(localconfig *lc, GError **error);

/* Keys in alphabetical order; CHANGED_ONLY: those set in the file. Caller
 * frees with g_strfreev. */
char **localconfig_keys(localconfig *lc, bool changed_only);

#define LOCALCONFIG_ERROR (localconfig_error_quark())
GQuark localconfig_error_quark(void);
enum { LOCALCONFIG_ERROR_READ, LOCALCONFIG_ERROR_SYNTAX, LOCALCONFIG_ERROR_WRITE, LOCALCONFIG_ERROR_LOOP };

#endif
