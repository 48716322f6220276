/* The SASL socket of Postfix's smtpd (smtpd_sasl_type = dovecot). */
#ifndef MAILSTEAD_AGENTS_AUTH_SASL_H
#define MAILSTEAD_AGENTS_AUTH_SASL_H

#include "agents/auth/manager.h"

typedef struct sasl sasl;
/* GROUP: may connect (Postfix's); NULL: as the process. */
sasl *sasl_new(sd_event *event, manager *m, const char *path, const char *group, GError **error);
void sasl_free(sasl *s);

#endif
