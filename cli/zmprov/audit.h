/* The audit record of a change. */
#ifndef MAILSTEAD_CLI_ZMPROV_AUDIT_H
#define MAILSTEAD_CLI_ZMPROV_AUDIT_H

#include "cli/zmprov/session.h"

/* One journal record: who did what to which object. OBJECT and the changes may
 * come from the command line; values of secret attributes are masked. */
void audit_change(const session *s, const command *c, const char *object, const char *id, const attr_change *attrs,
                  size_t n);

#endif
