/* Who may log in, and who receives mail for an address. See decide.h.
 *
 * Order of a login: name, account, domain, status, protocol switch, then the
 * proof (ticket or bind as the account), then the failure counters. Everything
 * that is refused looks the same to the client; the reason goes to the audit
 * record only. What the directory cannot answer is a temporary failure, never
 * "no such user". */
#include "agents/auth/decide.h"

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "agents/auth/lockout.h"
#include "agents/auth/status.h"
#include "lib/journal/journal.h"
#include "lib/ticket/ticket.h"

#define KEYS_LIFE_USEC (60 * G_USEC_PER_SEC)
#define CACHE_MAX_AGE_MS (15 * 60 * 1000)

/* Protocols that log in here and the account's switch of each. */
static const struct { const char *name, *enabled; } protocols[] = {
    { "imap", "zimbraImapEnabled" },
    { "pop3", "zimbraPop3Enabled" },
    { "smtp", NULL },
    { "sieve", NULL },
};

decider *decider_new(localconfig *lc, keys *k, const freshness *fresh)
{
    decider *d = g_new0(decider, 1);
    d->lc = lc;
    d->fresh = fresh;
    d->keys = k;
    d->bind = binder_new(lc);
    return d;
}

void decider_free(decider *d)
{
    if (!d)
        return;
    if (d->dir)
        directory_close(d->dir);
    if (d->dir_write)
        directory_close(d->dir_write);
    binder_free(d->bind);
    localconfig_free(d->lc);
    g_free(d);
}

directory *decider_directory(decider *d, GError **error)
{
    if (!d->dir)
        d->dir = directory_open(d->lc, DIRECTORY_READ, error);
    return d->dir;
}

answer *decider_failed(const GError *error, auth_status absent, const char *absent_reason)
{
    if (g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH) ||
        g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID))
        return answer_new(absent, absent_reason);
    return answer_new(AUTH_TEMPFAIL, error->message);
}

entry *decider_domain_of(directory *d, const char *address, GError **error)
{
    const char *at = address ? strrchr(address, '@') : NULL;
    GError *problem = NULL;
    entry *domain = at ? directory_domain(d, at + 1, &problem) : NULL;
    if (g_error_matches(problem, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH))
        g_clear_error(&problem);
    if (problem)
        g_propagate_error(error, problem);
    return domain;
}

static bool is_sane_name(const char *name)
{
    if (!*name || !g_utf8_validate(name, -1, NULL))
        return false;
    for (const char *p = name; *p; p++)
        if ((unsigned char) *p <= ' ' || *p == 0x7f)
            return false;
    return true;
}

static answer *answer_for(const entry *account, const entry *domain)
{
    gint64 now_ms = g_get_real_time() / 1000;
    const char *own = entry_get(account, "zimbraAccountStatus");
    bool lockout_over = own && g_ascii_strcasecmp(own, "lockout") == 0 && !lockout_is_locked(account, now_ms);
    answer *a = answer_new(AUTH_OK, NULL);
    a->account_id = g_strdup(entry_id(account));
    a->name = g_strdup(entry_name(account));
    a->account_status = g_strdup(status_effective(lockout_over ? "active" : own,
                                                  domain ? entry_get(domain, "zimbraDomainStatus") : NULL));
    a->mail_host = g_strdup(entry_get(account, "zimbraMailHost"));
    a->mail_transport = g_strdup(entry_get(account, "zimbraMailTransport"));
    a->quota_bytes = MAX(entry_get_int(account, "zimbraMailQuota", 0), 0);
    a->account_dn = g_strdup(entry_dn(account));
    a->domain_dn = g_strdup(domain ? entry_dn(domain) : NULL);
    return a;
}

static void refuse(answer *a, auth_status status, const char *reason)
{
    a->status = status;
    g_free(a->reason);
    a->reason = g_strdup(reason);
}

/* ---- token key ---- */

/* A fresh value of zimbraAuthTokenKey: version, time in ms, 40 random bytes. */
static char *fresh_secret(void)
{
    uint8_t bytes[40];   /* the attribute holds 128 characters */
    int random = RAND_bytes(bytes, sizeof bytes);
    g_assert(random == 1);
    GString *s = g_string_new(NULL);
    g_string_printf(s, "0:%" G_GINT64_FORMAT ":", g_get_real_time() / 1000);
    for (size_t i = 0; i < sizeof bytes; i++)
        g_string_append_printf(s, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return g_string_free(s, FALSE);
}

static directory *write_directory(decider *d, GError **error)
{
    if (!d->dir_write)
        d->dir_write = directory_open(d->lc, DIRECTORY_WRITE, error);
    return d->dir_write;
}

static bool write_changes(decider *d, entry *e, const attr_change *changes, size_t n, GError **error)
{
    directory *w = write_directory(d, error);
    return w && directory_modify_system(w, e, changes, n, error);
}

/* A system without a token key gets one from the first that needs it. Should two
 * hosts do so at once, both values stay and the order of keys_set() decides. */
static bool create_secret(decider *d, entry *config, GError **error)
{
    g_autofree char *value = fresh_secret();
    char attr[] = "+zimbraAuthTokenKey";
    attr_change change = { .attr = attr, .value = value };
    return write_changes(d, config, &change, 1, error);
}

static bool refresh_keys(decider *d, directory *dir, GError **error)
{
    gint64 now = g_get_monotonic_time();
    if (!keys_are_stale(d->keys, now))
        return true;
    g_autoptr(entry) config = directory_global_config(dir, error);
    if (config && !entry_get_own(config, "zimbraAuthTokenKey")) {
        if (!create_secret(d, config, error))
            return false;
        g_clear_pointer(&config, entry_unref);
        config = directory_global_config(dir, error);
    }
    if (!config)
        return false;
    keys_set(d->keys, entry_get_all_own(config, "zimbraAuthTokenKey"), now + KEYS_LIFE_USEC);
    return true;
}

/* ---- proof ---- */

static const char *ticket_problem(int r)
{
    switch (r) {
    case -ETIME: return "ticket expired";
    case -EPERM: return "ticket is for another protocol";
    case -EALREADY: return "ticket was used before";
    case -ENOSPC: return "too many tickets in use";
    default: return "not a ticket of this server";
    }
}

/* False: not a ticket at all, perhaps a password that looks like one. */
static bool check_ticket(decider *d, directory *dir, const question *q, answer *a)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    if (!ticket_is(q->password))
        return false;
    if (!refresh_keys(d, dir, &error)) {
        refuse(a, AUTH_TEMPFAIL, error->message);
        return true;
    }
    int r = keys_redeem(d->keys, q->password, q->protocol, g_get_real_time() / G_USEC_PER_SEC, &id);
    if (r == -EBADMSG)
        return false;
    a->proof = PROOF_TICKET;
    if (r < 0)
        refuse(a, r == -ENOSPC ? AUTH_TEMPFAIL : AUTH_DENIED, ticket_problem(r));
    else if (g_strcmp0(id, a->account_id) != 0)
        refuse(a, AUTH_DENIED, "ticket is for another account");
    return true;
}

static void count_failure(decider *d, entry *account, answer *a)
{
    g_autoptr(GError) error = NULL;
    bool locks = false;
    GArray *changes = lockout_failure(account, g_get_real_time() / 1000, &locks);
    if (changes && !write_changes(d, account, (attr_change *) (void *) changes->data, changes->len, &error))
        journal_warning("%s: failed login could not be counted: %s", entry_name(account), error->message);
    else if (locks)
        refuse(a, AUTH_DENIED, "invalid password; too many failures, account is locked out");
    lockout_changes_free(changes);
}

static void forget_failures(decider *d, entry *account)
{
    g_autoptr(GError) error = NULL;
    GArray *changes = lockout_success(account);
    if (changes && !write_changes(d, account, (attr_change *) (void *) changes->data, changes->len, &error))
        journal_warning("%s: failure counter could not be cleared: %s", entry_name(account), error->message);
    lockout_changes_free(changes);
}

/* Stored passwords are in Unicode's composed form; older ones may be as they were
 * typed then. */
static bind_result bind_as(decider *d, const entry *account, const char *password, char **ret_problem)
{
    char *normal = directory_normalise_password(password);
    bind_result r = binder_check(d->bind, entry_dn(account), normal ? normal : password, ret_problem);
    if (r == BIND_WRONG && normal && strcmp(normal, password) != 0)
        r = binder_check(d->bind, entry_dn(account), password, ret_problem);
    if (normal)
        explicit_bzero(normal, strlen(normal));
    g_free(normal);
    return r;
}

static void check_password(decider *d, entry *account, const entry *domain, const question *q, answer *a)
{
    const char *mech = domain ? entry_get(domain, "zimbraAuthMech") : NULL;
    g_autofree char *problem = NULL;
    a->proof = PROOF_PASSWORD;
    if (mech && *mech && strcmp(mech, "zimbra") != 0) {
        g_autofree char *reason = g_strdup_printf("zimbraAuthMech %s of domain %s is not supported; internal is \"zimbra\" or unset",
                                                  mech, entry_name(domain));
        refuse(a, AUTH_DENIED, reason);
        return;
    }
    switch (bind_as(d, account, q->password, &problem)) {
    case BIND_RIGHT:
        forget_failures(d, account);
        a->keep = true;
        break;
    case BIND_WRONG:
        refuse(a, AUTH_DENIED, "invalid password");
        count_failure(d, account, a);
        break;
    case BIND_UNAVAILABLE:
        refuse(a, AUTH_TEMPFAIL, problem);
        break;
    }
}

/* ---- route ---- */

/* Ports of the account's mail host; for a ticket's answer. */
static void add_ports(directory *dir, answer *a)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(entry) server = a->mail_host ? directory_server(dir, a->mail_host, &error) : NULL;
    if (!server) {
        g_autofree char *reason = g_strdup_printf("no server entry for zimbraMailHost \"%s\" of %s%s%s",
            a->mail_host ? a->mail_host : "", a->name, error ? ": " : "", error ? error->message : "");
        refuse(a, AUTH_TEMPFAIL, reason);
        a->keep = false;
        return;
    }
    a->imap_port = (uint16_t) entry_get_int(server, "zimbraImapBindPort", 7143);
    a->pop3_port = (uint16_t) entry_get_int(server, "zimbraPop3BindPort", 7110);
}

static void add_ticket(decider *d, directory *dir, const question *q, answer *a)
{
    g_autoptr(GError) error = NULL;
    add_ports(dir, a);
    if (a->status != AUTH_OK)
        return;
    if (!refresh_keys(d, dir, &error)) {
        refuse(a, AUTH_TEMPFAIL, error->message);
        return;
    }
    a->ticket = keys_issue(d->keys, a->mail_host, a->account_id, q->protocol, g_get_real_time() / G_USEC_PER_SEC);
    a->route_key = keys_route_key(d->keys);
    if (!a->ticket)
        refuse(a, AUTH_TEMPFAIL, "no ticket could be issued (zimbraAuthTokenKey, zimbraId)");
}

/* ---- questions ---- */

static const char *refusal(const question *q, const entry *account, const answer *a, size_t protocol)
{
    if (!strchr(a->name, '@'))
        return "an identity of a service, not a mail account";
    if (!status_may_log_in(a->account_status))
        return strcmp(a->account_status, "lockout") == 0 ? "account is locked out" : "status of account or domain forbids login";
    if (protocols[protocol].enabled && !entry_get_bool(account, protocols[protocol].enabled, true))
        return "protocol is switched off for the account";
    return NULL;
}

static answer *decide_login(decider *d, const question *q)
{
    g_autoptr(GError) error = NULL;
    size_t protocol = 0;
    while (protocol < G_N_ELEMENTS(protocols) && strcmp(q->protocol, protocols[protocol].name) != 0)
        protocol++;
    if (protocol == G_N_ELEMENTS(protocols))
        return answer_new(AUTH_DENIED, "unknown protocol");
    if (!is_sane_name(q->user))
        return answer_new(AUTH_DENIED, "malformed user name");
    if (!*q->password)
        return answer_new(AUTH_DENIED, "empty password");

    directory *dir = decider_directory(d, &error);
    g_autoptr(entry) account = dir ? directory_account(dir, q->user, &error) : NULL;
    g_autoptr(entry) domain = account ? decider_domain_of(dir, entry_name(account), &error) : NULL;
    if (error)
        return decider_failed(error, AUTH_DENIED, "no such account");
    answer *a = answer_for(account, domain);
    const char *why = refusal(q, account, a, protocol);
    if (why)
        refuse(a, AUTH_DENIED, why);
    else if (q->op == AUTH_OP_TICKET || !check_ticket(d, dir, q, a))
        check_password(d, account, domain, q, a);
    if (a->status == AUTH_OK && q->op == AUTH_OP_TICKET)
        add_ticket(d, dir, q, a);
    return a;
}

static answer *decide_resolve(decider *d, const question *q)
{
    g_autoptr(GError) error = NULL;
    if (!is_sane_name(q->address) || !strchr(q->address, '@'))
        return answer_new(AUTH_NO_SUCH, "malformed address");
    directory *dir = decider_directory(d, &error);
    g_autoptr(entry) account = dir ? directory_recipient(dir, q->address, &error) : NULL;
    if (account && entry_get_kind(account) != ENTRY_ACCOUNT && entry_get_kind(account) != ENTRY_CALENDAR_RESOURCE)
        return answer_new(AUTH_NO_SUCH, "not an account");
    g_autoptr(entry) domain = account ? decider_domain_of(dir, entry_name(account), &error) : NULL;
    if (error)
        return decider_failed(error, AUTH_NO_SUCH, "nobody by that address");
    answer *a = answer_for(account, domain);
    a->keep = true;
    return a;
}

/* What entries inherit from (COS, domain, global config) may be kept as long as
 * somebody says when it changes. */
static void refresh_cache(decider *d)
{
    gint changes = g_atomic_int_get(&d->fresh->changes);
    if (!d->dir)
        return;
    directory_set_cache(d->dir, g_atomic_int_get(&d->fresh->noticed) ? CACHE_MAX_AGE_MS : 0);
    if (changes != d->changes_seen)
        directory_flush(d->dir);
    d->changes_seen = changes;
}

answer *decide(decider *d, const question *q)
{
    refresh_cache(d);
    switch (q->op) {
    case AUTH_OP_LOGIN:
    case AUTH_OP_TICKET:
        return decide_login(d, q);
    case AUTH_OP_RESOLVE:
        return decide_resolve(d, q);
    case AUTH_OP_MAY_SEND:
        return decide_may_send(d, q);
    case AUTH_OP_MAX:
        break;
    }
    g_assert_not_reached();
}
