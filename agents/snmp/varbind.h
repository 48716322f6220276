/* Between the tree's instances and net-snmp's variables. */
#ifndef MAILSTEAD_SNMP_VARBIND_H
#define MAILSTEAD_SNMP_VARBIND_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agents/snmp/mib.h"

/* False for what no OID of ours can be: too long, a number above 32 bits. */
bool varbind_to_path(const oid *name, size_t n, oid_path *ret);
/* Name and value of INSTANCE. */
void varbind_set(netsnmp_variable_list *v, const instance *i);
/* snmpTrapOID.0 and the notification's objects, as GET would answer for ROW's row
 * of zmAlertTable. Caller owns the list. */
netsnmp_variable_list *varbind_notification(const notification *n, const record *row);

#endif
