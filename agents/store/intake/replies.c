/* See replies.h. Account status: guide ch. 9 "Change an Account's Status" and the
 * domain statuses of ch. 6; suspended and shutdown queue (docs/decisions). */
#include "agents/store/intake/replies.h"

#include <glib.h>

#include "agents/store/wire/wire.h"

static const struct { const char *status; verdict verdict; } accounts[] = {
    { "active",      { NULL, NULL } },
    { "locked",      { NULL, NULL } },
    { "lockout",     { NULL, NULL } },
    { "maintenance", { "450 4.2.1", "mailbox is in maintenance, try later" } },
    { "suspended",   { "450 4.2.1", "domain is suspended, try later" } },
    { "shutdown",    { "450 4.2.1", "domain is being renamed, try later" } },
    { "pending",     { "550 5.2.1", "account is not active yet" } },
    { "closed",      { "550 5.2.1", "account is closed" } },
};

verdict verdict_of_account(const char *status)
{
    for (size_t i = 0; status && i < G_N_ELEMENTS(accounts); i++)
        if (g_ascii_strcasecmp(accounts[i].status, status) == 0)
            return accounts[i].verdict;
    return (verdict) { "450 4.2.1", "account status is unknown, try later" };
}

verdict verdict_of_shard(uint32_t status, bool over_quota_permanent)
{
    switch (status) {
    case WIRE_OK:
        return (verdict) { NULL, NULL };
    case WIRE_OVER_QUOTA:
        return (verdict) { over_quota_permanent ? "552 5.2.2" : "452 4.2.2", "mailbox is full" };
    case WIRE_NO_SUCH:
        return (verdict) { "550 5.1.1", "no such mailbox" };
    case WIRE_REFUSED:
        return (verdict) { "550 5.7.1", "mailbox refuses the message" };
    default:
        return (verdict) { "451 4.3.0", "mailbox is not available, try later" };
    }
}
