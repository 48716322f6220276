/* The watch's own LDAP connection: opening it and the three searches it makes.
 * lib/directory has no persistent search; everybody else uses that. */
#ifndef MAILSTEAD_CONFIGD_WATCH_CONNECT_H
#define MAILSTEAD_CONFIGD_WATCH_CONNECT_H

#include <glib.h>
#include <ldap.h>

/* Connected and bound as this host's settings say; NULL with error. Blocks. */
LDAP *watch_connect(const char *localconfig_path, GError **error);
/* Cookie of the server's present state; NULL: it has none. Blocks. */
char *watch_start_cookie(LDAP *ld);
/* Message id of the persistent search; 0 with error. */
int watch_start_sync(LDAP *ld, const char *cookie, GError **error);
/* Message id of a search for contextCSN; -1 on failure. */
int watch_start_check(LDAP *ld);
/* The contextCSNs of entry M as a cookie, caller frees; NULL none. */
char *watch_cookie_of(LDAP *ld, LDAPMessage *m);

#endif
