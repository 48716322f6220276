/* See delivery.h. A DELIVER becomes one append a recipient; the answer goes out
 * when the last of them is durable or refused, so "WIRE_OK" in it always means
 * committed. Recipients share the descriptor, so a message is one inode.
 *
 * While the store has no room for more changes (-EAGAIN: the log makes a segment,
 * or too much is not applied) appends wait here in order, and with them intake
 * and the MTA's connections; only what waits too long is put off. */
#include "agents/store/shard/delivery/delivery.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/journal.h"

enum { RETRY_USEC = 5000, PATIENCE_USEC = 10 * 1000000 };

struct delivery {
    sd_event *event;
    shard *shard;
    unsigned number, count;
    unsigned running;            /* jobs not answered yet */
    GQueue waiting;              /* slot: recipients whose append found no room */
    sd_event_source *retry;
    bool freed;
};

/* One DELIVER: everything its callbacks need. */
typedef struct {
    delivery *owner;
    wire_conn *conn;
    wire_message m;              /* the request, with its memory and descriptors */
    new_message text;
    int copy;                    /* descriptor shared by the recipients of a small message, or -1 */
    uint64_t deadline_usec;
    unsigned pending;
    wire_result *results;
} job;

typedef struct { job *job; size_t index; } slot;

static int on_retry(sd_event_source *source, uint64_t usec, void *data);

delivery *delivery_new(sd_event *event, shard *s, unsigned number, unsigned count)
{
    delivery *d = g_new0(delivery, 1);
    *d = (delivery) { .event = sd_event_ref(event), .shard = s, .number = number, .count = count };
    g_queue_init(&d->waiting);
    int r = sd_event_add_time_relative(event, &d->retry, CLOCK_MONOTONIC, RETRY_USEC, 1000, on_retry, d);
    g_assert(r >= 0 && sd_event_source_set_enabled(d->retry, SD_EVENT_OFF) >= 0);
    return d;
}

static void delivery_drop(delivery *d)
{
    if (!d->freed || d->running > 0)
        return;
    sd_event_source_disable_unref(d->retry);
    sd_event_unref(d->event);
    g_free(d);
}

/* ---- one recipient ---- */

static const struct { int error; wire_status status; const char *text; } errors[] = {
    { -EDQUOT, WIRE_OVER_QUOTA, "mailbox is full" },
    { -ENOSPC, WIRE_TEMPFAIL,   "volume of the mail store is full" },
    { -EAGAIN, WIRE_TEMPFAIL,   "mail store is busy" },
    { -ENOENT, WIRE_TEMPFAIL,   "folder is gone" },
    { -EINVAL, WIRE_REFUSED,    "message cannot be stored" },
};

static wire_result result_of(int r, uint32_t uid)
{
    if (r >= 0)
        return (wire_result) { WIRE_OK, uid, "" };
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
        if (errors[i].error == r)
            return (wire_result) { errors[i].status, 0, errors[i].text };
    return (wire_result) { WIRE_TEMPFAIL, 0, "mail store failed" };
}

/* The mailbox with its quota set, or NULL and why in RET. */
static mailbox *open_recipient(delivery *d, const char *account_id, const char *name, int64_t quota_bytes, wire_result *ret)
{
    if (wire_shard_of(account_id, d->count) != d->number) {
        *ret = (wire_result) { WIRE_TEMPFAIL, 0, "another shard owns the mailbox" };
        return NULL;
    }
    mailbox *m = mailbox_open_header(d->shard, account_id, name);
    if (m)
        mailbox_set_quota(m, quota_bytes);
    else
        *ret = (wire_result) { WIRE_NO_SUCH, 0, "not a mailbox id" };
    return m;
}

static void check_recipient(delivery *d, wire_conn *c, const wire_message *m)
{
    const wire_rcpt_check *check = &m->rcpt_check;
    wire_result result = { WIRE_OK, 0, "" };
    mailbox *box = open_recipient(d, check->account_id, check->name, check->quota_bytes, &result);
    wire_message answer = { .type = WIRE_RCPT_VERDICT, .id = m->id };
    if (box && mailbox_over_quota(box, check->size))
        result = result_of(-EDQUOT, 0);
    if (box)
        mailbox_unref(box);
    if (result.status == WIRE_OK && check->want_spool) {
        answer.fds[0] = shard_spool_fd(d->shard);
        if (answer.fds[0] >= 0)
            answer.n_fds = 1;
        else
            result = result_of(answer.fds[0], 0);
    }
    answer.rcpt_verdict = (wire_rcpt_verdict) { result.status, result.text };
    int r = wire_send(c, &answer);
    if (r < 0)
        journal_warning("cannot answer intake about a recipient: %s", g_strerror(-r));
    if (answer.n_fds)
        close(answer.fds[0]);
}

/* ---- delivering ---- */

static void job_free(job *j)
{
    delivery *d = j->owner;
    wire_conn_unref(j->conn);
    wire_message_clear(&j->m);
    if (j->copy >= 0)
        close(j->copy);
    g_free(j->results);
    g_free(j);
    d->running--;
    delivery_drop(d);
}

static void log_result(const job *j, size_t i)
{
    const wire_deliver *w = &j->m.deliver;
    const wire_result *r = &j->results[i];
    const char *name = w->recipients[i].name;
    const char *folder = w->recipients[i].folder == WIRE_JUNK ? "Junk" : "Inbox";
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, w->size);
    g_autofree char *uid = g_strdup_printf("%u", r->uid);
    g_autofree char *text = r->status == WIRE_OK
        ? g_strdup_printf("stored message for %s in %s, uid %s, %s bytes, from <%s>, id %s", name, folder, uid, size, w->sender, w->message_id)
        : g_strdup_printf("did not store a message for %s from <%s>, id %s: %s", name, w->sender, w->message_id, r->text);
    journal_fields(r->status == WIRE_OK ? LOG_INFO : LOG_WARNING, text,
                   "ACCOUNT", name, "FOLDER", folder, "UID_IN_FOLDER", uid, "SIZE", size,
                   "SENDER", w->sender, "MAIL_ID", w->message_id, "CLIENT", w->client, NULL);
}

static void job_finish(job *j)
{
    size_t n = j->m.deliver.n_recipients;
    wire_message answer = { .type = WIRE_DELIVERED, .id = j->m.id,
                            .delivered = { .incoming = "", .results = j->results, .n_results = n } };
    int r = wire_send(j->conn, &answer);
    if (r < 0)
        journal_warning("cannot tell intake of a delivery (it will be sent again): %s", g_strerror(-r));
    for (size_t i = 0; i < n; i++)
        log_result(j, i);
    job_free(j);
}

static void slot_done(slot *s, wire_result result)
{
    job *j = s->job;
    j->results[s->index] = result;
    g_free(s);
    if (--j->pending == 0)
        job_finish(j);
}

static void on_appended(int r, uint32_t uidvalidity, uint32_t uid, void *data)
{
    slot_done(data, result_of(r, uid));
}

/* False: S must wait. */
static bool try_slot(slot *s)
{
    job *j = s->job;
    const wire_recipient *to = &j->m.deliver.recipients[s->index];
    wire_result bad;
    mailbox *box = open_recipient(j->owner, to->account_id, to->name, to->quota_bytes, &bad);
    if (!box) {
        slot_done(s, bad);
        return true;
    }
    int r = mailbox_append(box, to->folder == WIRE_JUNK ? FOLDER_ID_JUNK : FOLDER_ID_INBOX, &j->text, on_appended, s);
    mailbox_unref(box);
    uint64_t now = UINT64_MAX;
    (void) sd_event_now(j->owner->event, CLOCK_MONOTONIC, &now);     /* an error reads as too late */
    if (r == -EAGAIN && now < j->deadline_usec)
        return false;
    if (r != 0)
        slot_done(s, result_of(r, 0));
    return true;
}

static void arm(delivery *d)
{
    bool wait = !g_queue_is_empty(&d->waiting);
    (void) sd_event_source_set_time_relative(d->retry, RETRY_USEC);  /* own source, valid arguments */
    (void) sd_event_source_set_enabled(d->retry, wait ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
    delivery *d = data;
    while (!g_queue_is_empty(&d->waiting) && try_slot(g_queue_peek_head(&d->waiting)))
        g_queue_pop_head(&d->waiting);
    arm(d);
    return 0;
}

void delivery_free(delivery *d)
{
    if (!d)
        return;
    d->freed = true;
    d->running++;                /* until the last of these is answered */
    for (slot *s; (s = g_queue_pop_head(&d->waiting)) != NULL; )
        slot_done(s, result_of(-EAGAIN, 0));
    d->running--;
    delivery_drop(d);
}

/* What intake gave must be what it says: it reads hostile input. */
static bool is_whole(const wire_message *m)
{
    const wire_deliver *w = &m->deliver;
    struct stat st;
    if (m->n_fds == 0)
        return w->body.len == w->size && w->size > 0 && w->size <= STORE_INLINE_MAX;
    return fstat(m->fds[0], &st) == 0 && S_ISREG(st.st_mode) && (uint64_t) st.st_size == w->size && w->size <= UINT32_MAX;
}

/* A small message for several recipients: written into a file once, which all of
 * them link. Without it (-1) each gets a copy, which is no fault. */
static int shared_copy(delivery *d, const wire_deliver *w)
{
    int fd = shard_spool_fd(d->shard);
    if (fd < 0)
        return -1;
    if (write(fd, w->body.data, w->body.len) == (ssize_t) w->body.len)
        return fd;
    close(fd);
    return -1;
}

/* Takes M over. */
static job *job_new(delivery *d, wire_conn *c, wire_message *m)
{
    job *j = g_new0(job, 1);
    uint64_t now = 0;
    (void) sd_event_now(d->event, CLOCK_MONOTONIC, &now);            /* an error only shortens the patience */
    *j = (job) { .owner = d, .conn = wire_conn_ref(c), .m = *m, .copy = -1, .deadline_usec = now + PATIENCE_USEC };
    *m = (wire_message) { .fds = { -1, -1 } };
    const wire_deliver *w = &j->m.deliver;
    j->results = g_new0(wire_result, w->n_recipients);
    bool in_file = j->m.n_fds > 0;
    if (!in_file && w->n_recipients > 1)
        j->copy = shared_copy(d, w);
    j->text = (new_message) { .fd = in_file ? j->m.fds[0] : j->copy, .body = in_file ? NULL : w->body.data, .size = w->size,
                              .summary = w->summary.data, .summary_len = w->summary.len, .date = w->date };
    d->running++;
    return j;
}

static void deliver(delivery *d, wire_conn *c, wire_message *m)
{
    bool whole = is_whole(m);
    job *j = job_new(d, c, m);
    size_t n = j->m.deliver.n_recipients;
    j->pending = (unsigned) n + 1;   /* one is held until every recipient was tried */
    for (size_t i = 0; i < n; i++) {
        slot *s = g_new(slot, 1);
        *s = (slot) { j, i };
        if (!whole)
            slot_done(s, result_of(-EINVAL, 0));
        else if (!g_queue_is_empty(&d->waiting) || !try_slot(s))
            g_queue_push_tail(&d->waiting, s);
    }
    if (!g_queue_is_empty(&d->waiting))
        arm(d);
    if (--j->pending == 0)
        job_finish(j);
}

bool delivery_message(delivery *d, wire_conn *c, wire_message *m)
{
    if (m->type == WIRE_RCPT_CHECK)
        check_recipient(d, c, m);
    else if (m->type == WIRE_DELIVER)
        deliver(d, c, m);
    else
        return false;
    return true;
}
