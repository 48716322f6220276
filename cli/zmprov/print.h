/* Output of zmprov. */
#ifndef MAILSTEAD_CLI_ZMPROV_PRINT_H
#define MAILSTEAD_CLI_ZMPROV_PRINT_H

#include "lib/directory/directory.h"

/* "attr: value" lines in order of names. WANTED: NULL-terminated "attr" or
 * "attr=value" words that limit what is shown; empty: all. INHERITED: with the
 * values of COS, domain and global config. */
void print_attrs(const entry *e, char **wanted, bool inherited);
/* "# name x", the attributes, an empty line. */
void print_entry(const entry *e, char **wanted, bool inherited);
/* "# distributionList x memberCount=n", attributes, the members. */
void print_list(const entry *e, char **wanted);

#endif
