/* Account status × domain status, one row a domain status. */
#include "agents/auth/status.h"

#include <glib.h>
#include <string.h>

enum { ACTIVE, MAINTENANCE, LOCKED, LOCKOUT, PENDING, CLOSED, N_STATUS };

static const char *const words[N_STATUS] = {
    [ACTIVE] = "active", [MAINTENANCE] = "maintenance", [LOCKED] = "locked",
    [LOCKOUT] = "lockout", [PENDING] = "pending", [CLOSED] = "closed",
};

/* Closed beats everything. Locked yields to the account's maintenance, pending
 * and closed. Maintenance, suspended and shutdown queue all but closed accounts
 * (shutdown only exists during a rename, which must not lose mail). */
static const struct { const char *domain; int effective[N_STATUS]; } table[] = {
    /*               active       maintenance  locked       lockout      pending      closed */
    { "active",      { ACTIVE,      MAINTENANCE, LOCKED,      LOCKOUT,     PENDING,     CLOSED } },
    { "locked",      { LOCKED,      MAINTENANCE, LOCKED,      LOCKED,      PENDING,     CLOSED } },
    { "maintenance", { MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, CLOSED } },
    { "suspended",   { MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, CLOSED } },
    { "shutdown",    { MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, MAINTENANCE, CLOSED } },
    { "closed",      { CLOSED,      CLOSED,      CLOSED,      CLOSED,      CLOSED,      CLOSED } },
};

static int account_index(const char *word)
{
    for (int i = 0; i < N_STATUS; i++)
        if (g_ascii_strcasecmp(word, words[i]) == 0)
            return i;
    return CLOSED;
}

const char *status_effective(const char *account, const char *domain)
{
    int i = account_index(account ? account : "active");
    for (size_t d = 0; d < G_N_ELEMENTS(table); d++)
        if (g_ascii_strcasecmp(domain ? domain : "active", table[d].domain) == 0)
            return words[table[d].effective[i]];
    return words[CLOSED];
}

bool status_may_log_in(const char *effective)
{
    return strcmp(effective, words[ACTIVE]) == 0;
}
