/* Reads all facts of this host: localconfig, the server's entry with global
 * configuration behind it, lists of domains and servers where a template asks
 * for them, and what follows from these (derived.h). */
#ifndef MAILSTEAD_CONFIGD_COLLECT_H
#define MAILSTEAD_CONFIGD_COLLECT_H

#include "configd/facts.h"
#include "configd/plan.h"

typedef struct collector collector;

/* LOCALCONFIG_PATH NULL: the installed one. */
collector *collector_new(const char *localconfig_path);
void collector_free(collector *c);

/* Blocks up to localconfig's LDAP time limits. P says which lists are wanted.
 * SERVER NULL: this host; else the server of that name, with this host's localconfig.
 * SETTINGS (may be NULL): "key=value" or "LOCAL:key=value", as if so set. */
facts *collector_read(collector *c, const plan *p, const char *server, char **settings, GError **error);

/* Puts "key=value" settings over F's values. */
bool collect_settings(facts *f, char **settings, GError **error);

#endif
