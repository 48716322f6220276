/* Parts of zmldapinit. */
#ifndef MAILSTEAD_LDAPINIT_H
#define MAILSTEAD_LDAPINIT_H

#include <glib.h>
#include <stdbool.h>

#include "lib/localconfig/localconfig.h"

#define LDAPINIT_ERROR (ldapinit_error_quark())
GQuark ldapinit_error_quark(void);
enum { LDAPINIT_ERROR_TEMPLATE, LDAPINIT_ERROR_STATE };

/* PATH's text with every @word@ or @word:argument@ replaced (words.c). */
char *template_fill(const char *path, localconfig *lc, GError **error);

/* {ARGON2} hash of PASSWORD, made by slappasswd; caller frees. */
char *password_hash(const char *password, GError **error);

/* Makes slapd's configuration and main database below FOLDER from two LDIF
 * texts; all or nothing (load.c). */
bool ldapinit_is_done(const char *folder);
bool ldapinit_load(const char *folder, const char *config_ldif, const char *tree_ldif, GError **error);

/* Waits until slapd answers on its local socket. */
bool ldapinit_wait(int seconds, GError **error);

#endif
