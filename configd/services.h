/* Keeps the host's enabled services those of zimbraServiceEnabled. */
#ifndef MAILSTEAD_CONFIGD_SERVICES_H
#define MAILSTEAD_CONFIGD_SERVICES_H

#include "configd/facts.h"
#include "configd/units.h"

/* Writes the enabled set when it differs from VALUES and makes running units
 * follow, unless the administrator has stopped the whole appliance. Names this
 * release has no unit for are left out. Blocks. */
bool services_follow(unit_driver *units, const facts *values, GError **error);

#endif
