/* mailboxd.csv, imap.csv, pop3.csv and auth.csv: the mail store's and zmauthd's own
 * statistics pages, all processes of a kind added up (Guide ch. 12, "mailboxd
 * statistics"). Columns of the guide's system that have no subject here (heap,
 * JVM pools, SOAP) are left out. */
#include <string.h>

#include "agents/stats/collect/all.h"

#define SHARD "zmmailboxd-shard"
#define LOGIN "zmmailboxd-login"
#define INTAKE "zmmailboxd-intake"

typedef enum { COUNT, AVERAGE, GAUGE } kind;    /* AVERAGE: milliseconds of NAME for each of PER, since the last sample */

typedef struct { kind kind; const char *daemon, *name, *per; } source;

static const stat_field mailboxd_fields[] = {
    { "lmtp_rcvd_msgs", FIELD_COUNTER, NULL, "Messages received by LMTP", NULL },
    { "lmtp_rcvd_bytes", FIELD_COUNTER, "bytes", "Their bytes", NULL },
    { "lmtp_rcvd_rcpt", FIELD_COUNTER, NULL, "Their recipients", NULL },
    { "lmtp_dlvd_msgs", FIELD_COUNTER, NULL, "Deliveries into mailboxes, one for each recipient", NULL },
    { "lmtp_dlvd_bytes", FIELD_COUNTER, "bytes", "Their bytes", NULL },
    { "lmtp_ms_avg", FIELD_GAUGE, "milliseconds", "Time from a message's last byte to its answer, average", "lmtp_average" },
    { "lmtp_conn", FIELD_GAUGE, NULL, "LMTP connections now", NULL },
    { "mbox_add_msg_count", FIELD_COUNTER, NULL, "Messages added to mailboxes, by delivery or by clients", NULL },
    { "mbox_add_msg_ms_avg", FIELD_GAUGE, "milliseconds", "Time until an added message was durable, average", "mbox_add_msg_average" },
    { "mbox_cache_size", FIELD_GAUGE, NULL, "Mailboxes in memory", NULL },
    { "mailboxes", FIELD_GAUGE, NULL, "Mailboxes known", NULL },
    { "imap_count", FIELD_COUNTER, NULL, "IMAP commands", "imap_commands" },
    { "imap_ms_avg", FIELD_GAUGE, "milliseconds", "Time of an IMAP command, average; IDLE not counted", "imap_average" },
    { "imap_conn", FIELD_GAUGE, NULL, "IMAP sessions now", NULL },
    { "imap_ssl_conn", FIELD_GAUGE, NULL, "Those of them whose TLS ends here", NULL },
    { "pop_count", FIELD_COUNTER, NULL, "POP3 commands", "pop_commands" },
    { "pop_ms_avg", FIELD_GAUGE, "milliseconds", "Time of a POP3 command, average", "pop_average" },
    { "pop_conn", FIELD_GAUGE, NULL, "POP3 sessions now", NULL },
    { "pop_ssl_conn", FIELD_GAUGE, NULL, "Those of them whose TLS ends here", NULL },
    { "logins", FIELD_COUNTER, NULL, "Sessions begun by a login", NULL },
    { "login_failures", FIELD_COUNTER, NULL, "Logins refused", NULL },
    { "login_waiting", FIELD_GAUGE, NULL, "Connections that have not logged in yet", NULL },
    { "redo_changes", FIELD_COUNTER, NULL, "Changes written to the redo log", NULL },
    { "redo_flushes", FIELD_COUNTER, NULL, "Flushes of the redo log; one covers all changes that wait", NULL },
    { "redo_bytes", FIELD_COUNTER, "bytes", "Bytes written to the redo log", NULL },
    { "redo_unapplied_bytes", FIELD_GAUGE, "bytes", "Logged changes that are not in a database yet", NULL },
    { "checkpoints", FIELD_COUNTER, NULL, "Checkpoints", NULL },
};

static const source mailboxd_sources[] = {
    { COUNT, INTAKE, "lmtp_messages", NULL }, { COUNT, INTAKE, "lmtp_bytes", NULL }, { COUNT, INTAKE, "lmtp_recipients", NULL },
    { COUNT, INTAKE, "delivered_messages", NULL }, { COUNT, INTAKE, "delivered_bytes", NULL },
    { AVERAGE, INTAKE, "lmtp_us", "lmtp_messages" }, { GAUGE, INTAKE, "sessions", NULL },
    { COUNT, SHARD, "appends", NULL }, { AVERAGE, SHARD, "append_us", "appends_done" }, { GAUGE, SHARD, "mailboxes_loaded", NULL },
    { GAUGE, SHARD, "mailboxes", NULL },
    { COUNT, SHARD, "imap_commands", NULL }, { AVERAGE, SHARD, "imap_us", "imap_timed" }, { GAUGE, SHARD, "imap_sessions", NULL },
    { GAUGE, LOGIN, "imap_relays", NULL },
    { COUNT, SHARD, "pop3_commands", NULL }, { AVERAGE, SHARD, "pop3_us", "pop3_commands" }, { GAUGE, SHARD, "pop3_sessions", NULL },
    { GAUGE, LOGIN, "pop3_relays", NULL },
    { COUNT, LOGIN, "logins", NULL }, { COUNT, LOGIN, "login_failures", NULL }, { GAUGE, LOGIN, "waiting", NULL },
    { COUNT, SHARD, "changes", NULL }, { COUNT, SHARD, "flushes", NULL }, { COUNT, SHARD, "logged_bytes", NULL },
    { GAUGE, SHARD, "unapplied_bytes", NULL }, { COUNT, SHARD, "checkpoints", NULL },
};
G_STATIC_ASSERT(G_N_ELEMENTS(mailboxd_sources) == G_N_ELEMENTS(mailboxd_fields));

static const stat_field auth_fields[] = {
    { "logins_ok", FIELD_COUNTER, NULL, "Passwords found right", NULL },
    { "logins_denied", FIELD_COUNTER, NULL, "Logins refused", NULL },
    { "logins_tempfail", FIELD_COUNTER, NULL, "Logins that could not be decided (directory away)", NULL },
    { "logins_cached", FIELD_COUNTER, NULL, "Those of the right ones that were answered from memory", NULL },
    { "tickets", FIELD_COUNTER, NULL, "Tickets redeemed: second halves of logins through the proxy", NULL },
};

static const source auth_sources[] = {
    { COUNT, "zmauthd", "logins_ok", NULL }, { COUNT, "zmauthd", "logins_denied", NULL }, { COUNT, "zmauthd", "logins_tempfail", NULL },
    { COUNT, "zmauthd", "logins_cached", NULL }, { COUNT, "zmauthd", "tickets", NULL },
};
G_STATIC_ASSERT(G_N_ELEMENTS(auth_sources) == G_N_ELEMENTS(auth_fields));

typedef struct { double time, n; bool had; } average;

/* Milliseconds each since the last call; false: none. */
static bool take_average(average *a, double time_us, double n, double *ret)
{
    bool some = a->had && n > a->n && time_us >= a->time;
    if (some)
        *ret = (time_us - a->time) / 1000 / (n - a->n);
    *a = (average) { time_us, n, true };
    return some;
}

/* ---- groups of one row ---- */

static int sample_sources(average *averages, const world *w, sample_table *t, const source *sources)
{
    sample_row *r = NULL;
    for (size_t i = 0; i < t->group->n_fields; i++) {
        const source *s = &sources[i];
        double v, n;
        bool known = s->kind == GAUGE ? pages_gauge(w->pages, s->daemon, s->name, &v) : pages_counter(w->pages, s->daemon, s->name, &v);
        if (!known)
            continue;
        if (!r)
            r = sample_add(t, NULL, NULL);
        if (s->kind != AVERAGE || (pages_counter(w->pages, s->daemon, s->per, &n) && take_average(&averages[i], v, n, &v)))
            sample_put(t, r, i, v);
    }
    return 0;       /* a host without the service has no row, which is no fault */
}

typedef struct { average averages[G_N_ELEMENTS(mailboxd_fields)]; } mailboxd_state;

static int sample_mailboxd(void *state, const world *w, sample_table *t)
{
    return sample_sources(((mailboxd_state *) state)->averages, w, t, mailboxd_sources);
}

static const stat_group mailboxd_group = { .name = "mailboxd", .help = "The mail store", .layout = CSV_WIDE,
                                           .fields = mailboxd_fields, .n_fields = G_N_ELEMENTS(mailboxd_fields) };
const collector collect_mailboxd = { .group = &mailboxd_group, .state_size = sizeof(mailboxd_state), .sample = sample_mailboxd };

static int sample_auth(void *state, const world *w, sample_table *t)
{
    return sample_sources(NULL, w, t, auth_sources);
}

static const stat_group auth_group = { .name = "auth", .help = "Logins decided on this host", .layout = CSV_WIDE,
                                       .fields = auth_fields, .n_fields = G_N_ELEMENTS(auth_fields) };
const collector collect_auth = { .group = &auth_group, .state_size = 1, .sample = sample_auth };

/* ---- commands: counters "imap.fetch.count" and "imap.fetch.us" ---- */

static const stat_field command_fields[] = {
    { "exec_count", FIELD_COUNTER, NULL, "Times it was given", "commands" },
    { "exec_ms_avg", FIELD_GAUGE, "milliseconds", "Its time, average", "average" },
};

typedef struct { GHashTable *averages; } commands_state;    /* name -> average */

static void take_command(commands_state *s, const world *w, sample_table *t, const char *counter, size_t prefix)
{
    g_autofree char *base = g_strndup(counter, strlen(counter) - strlen(".count"));
    g_autofree char *name = g_ascii_strup(base + prefix, -1), *time = g_strdup_printf("%s.us", base);
    double n, us, v;
    if (!pages_counter(w->pages, SHARD, counter, &n) || n == 0)
        return;
    sample_row *r = sample_add(t, name, NULL);
    sample_put(t, r, 0, n);
    average *a = g_hash_table_lookup(s->averages, name);
    if (!a) {
        a = g_new0(average, 1);
        g_hash_table_insert(s->averages, g_steal_pointer(&name), a);
    }
    if (pages_counter(w->pages, SHARD, time, &us) && take_average(a, us, n, &v))
        sample_put(t, r, 1, v);
}

static int sample_commands(commands_state *s, const world *w, sample_table *t, const char *prefix)
{
    if (!s->averages)
        s->averages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) names = pages_names(w->pages, SHARD, prefix);
    for (guint i = 0; i < names->len; i++)
        if (g_str_has_suffix(names->pdata[i], ".count"))
            take_command(s, w, t, names->pdata[i], strlen(prefix));
    return 0;
}

static void clear_commands(void *data)
{
    g_clear_pointer(&((commands_state *) data)->averages, g_hash_table_unref);
}

static int sample_imap(void *state, const world *w, sample_table *t)
{
    return sample_commands(state, w, t, "imap.");
}

static int sample_pop3(void *state, const world *w, sample_table *t)
{
    return sample_commands(state, w, t, "pop3.");
}

static const stat_group imap_group = { .name = "imap", .help = "Each IMAP command", .layout = CSV_LONG, .label = "command",
                                       .fields = command_fields, .n_fields = G_N_ELEMENTS(command_fields) };
static const stat_group pop3_group = { .name = "pop3", .help = "Each POP3 command", .layout = CSV_LONG, .label = "command",
                                       .fields = command_fields, .n_fields = G_N_ELEMENTS(command_fields) };
const collector collect_imap = { .group = &imap_group, .state_size = sizeof(commands_state), .sample = sample_imap, .clear = clear_commands };
const collector collect_pop3 = { .group = &pop3_group, .state_size = sizeof(commands_state), .sample = sample_pop3, .clear = clear_commands };
