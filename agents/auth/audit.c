/* Audit records: journal fields AUDIT=login (a password was checked) or
 * AUDIT=ticket (a ticket was redeemed: the second half of a login through the
 * proxy), RESULT=ok|denied|tempfail, ACCOUNT, LOGIN (as typed), PROTOCOL,
 * CLIENT_IP, REASON. Client bytes are escaped. */
#include "agents/auth/audit.h"

#include <string.h>

#include "lib/journal/journal.h"

static const struct { auth_status status; const char *word; int priority; } results[] = {
    { AUTH_OK, "ok", LOG_INFO },
    { AUTH_DENIED, "denied", LOG_WARNING },
    { AUTH_TEMPFAIL, "tempfail", LOG_WARNING },
};

void audit_login(const question *q, const answer *a, bool from_cache)
{
    g_autofree char *login = journal_escape(q->user, strlen(q->user), 300);
    g_autofree char *client = journal_escape(q->client_ip, strlen(q->client_ip), 100);
    g_autofree char *protocol = journal_escape(q->protocol, strlen(q->protocol), 40);
    const char *account = a->name ? a->name : login;
    g_autofree char *message = a->status == AUTH_OK
        ? g_strdup_printf("cmd=Auth; account=%s; protocol=%s; ip=%s;", account, protocol, client)
        : g_strdup_printf("cmd=Auth; account=%s; protocol=%s; ip=%s; error=authentication failed for [%s], %s;",
                          account, protocol, client, login, a->reason ? a->reason : "no reason");
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++)
        if (results[i].status == a->status)
            journal_fields(results[i].priority, message,
                           "AUDIT", a->proof == PROOF_TICKET ? "ticket" : "login",
                           "RESULT", results[i].word, "ACCOUNT", account, "LOGIN", login,
                           "PROTOCOL", protocol, "CLIENT_IP", client,
                           "PROOF", from_cache ? "cache" : a->proof == PROOF_TICKET ? "ticket" : "bind",
                           "REASON", a->reason ? a->reason : "", NULL);
}
