/* Values that follow from others (facts/configd.md §2; the table in
 * docs/admin/templates.md). */
#ifndef MAILSTEAD_CONFIGD_DERIVED_H
#define MAILSTEAD_CONFIGD_DERIVED_H

#include "configd/facts.h"

/* Adds to F every value that follows from the ones in it. OWN_NETWORKS: this
 * host's networks in Postfix's notation, for a server without zimbraMtaMyNetworks. */
void derived_compute(facts *f, const char *const *own_networks);

/* Loopback and this host's own addresses: nobody else is trusted unasked. Free
 * with g_strfreev. */
char **derived_own_networks(void);

#endif
