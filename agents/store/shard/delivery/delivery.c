/* See delivery.h. A DELIVER becomes one append a recipient; the answer goes out
 * when the last of them is durable or refused, so "WIRE_OK" in it always means
 * committed. Recipients share the descriptor, so a message is one inode. */
#include "agents/store/shard/delivery/delivery.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/journal.h"

struct delivery {
    shard *shard;
    unsigned number, count;
    unsigned running;            /* jobs whose appends have not all called back */
    bool freed;
};

/* One DELIVER: everything its callbacks need. */
typedef struct {
    delivery *owner;
    wire_conn *conn;
    uint32_t id;
    unsigned pending;
    size_t n;
    wire_result *results;
    char **names;                /* canonical addresses, for the log */
    wire_folder *folders;
    char *sender, *client, *message_id;
    uint64_t size;
} job;

typedef struct { job *job; size_t index; } slot;

delivery *delivery_new(shard *s, unsigned number, unsigned count)
{
    delivery *d = g_new0(delivery, 1);
    *d = (delivery) { .shard = s, .number = number, .count = count };
    return d;
}

static void delivery_drop(delivery *d)
{
    if (d->freed && d->running == 0)
        g_free(d);
}

void delivery_free(delivery *d)
{
    if (!d)
        return;
    d->freed = true;
    delivery_drop(d);
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

static job *job_new(delivery *d, wire_conn *c, const wire_message *m)
{
    const wire_deliver *w = &m->deliver;
    job *j = g_new0(job, 1);
    j->owner = d;
    j->conn = wire_conn_ref(c);
    j->id = m->id;
    j->n = w->n_recipients;
    j->results = g_new0(wire_result, j->n);
    j->names = g_new0(char *, j->n + 1);
    j->folders = g_new0(wire_folder, j->n);
    j->sender = g_strdup(w->sender);
    j->client = g_strdup(w->client);
    j->message_id = g_strdup(w->message_id);
    j->size = w->size;
    d->running++;
    return j;
}

static void job_free(job *j)
{
    delivery *d = j->owner;
    wire_conn_unref(j->conn);
    g_strfreev(j->names);
    g_free(j->folders);
    g_free(j->results);
    g_free(j->sender);
    g_free(j->client);
    g_free(j->message_id);
    g_free(j);
    d->running--;
    delivery_drop(d);
}

static void log_result(const job *j, size_t i)
{
    const wire_result *r = &j->results[i];
    const char *folder = j->folders[i] == WIRE_JUNK ? "Junk" : "Inbox";
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, j->size);
    g_autofree char *uid = g_strdup_printf("%u", r->uid);
    g_autofree char *text = r->status == WIRE_OK
        ? g_strdup_printf("stored message for %s in %s, uid %s, %s bytes, from <%s>, id %s", j->names[i], folder, uid, size, j->sender, j->message_id)
        : g_strdup_printf("did not store a message for %s from <%s>, id %s: %s", j->names[i], j->sender, j->message_id, r->text);
    journal_fields(r->status == WIRE_OK ? LOG_INFO : LOG_WARNING, text,
                   "ACCOUNT", j->names[i], "FOLDER", folder, "UID_IN_FOLDER", uid, "SIZE", size,
                   "SENDER", j->sender, "MAIL_ID", j->message_id, "CLIENT", j->client, NULL);
}

static void job_finish(job *j)
{
    wire_message answer = { .type = WIRE_DELIVERED, .id = j->id,
                            .delivered = { .incoming = "", .results = j->results, .n_results = j->n } };
    int r = wire_send(j->conn, &answer);
    if (r < 0)
        journal_warning("cannot tell intake of a delivery (it will be sent again): %s", g_strerror(-r));
    for (size_t i = 0; i < j->n; i++)
        log_result(j, i);
    job_free(j);
}

static void on_appended(int r, uint32_t uidvalidity, uint32_t uid, void *data)
{
    g_autofree slot *s = data;
    job *j = s->job;
    j->results[s->index] = result_of(r, uid);
    if (--j->pending == 0)
        job_finish(j);
}

static void append(job *j, size_t index, const wire_recipient *to, const new_message *msg)
{
    j->names[index] = g_strdup(to->name);
    j->folders[index] = to->folder;
    mailbox *box = open_recipient(j->owner, to->account_id, to->name, to->quota_bytes, &j->results[index]);
    if (!box)
        return;
    slot *s = g_new(slot, 1);
    *s = (slot) { j, index };
    int r = mailbox_append(box, to->folder == WIRE_JUNK ? FOLDER_ID_JUNK : FOLDER_ID_INBOX, msg, on_appended, s);
    mailbox_unref(box);
    if (r == 0) {
        j->pending++;
        return;
    }
    g_free(s);
    j->results[index] = result_of(r, 0);
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

static void append_all(job *j, const wire_deliver *w, const new_message *msg, bool whole)
{
    for (size_t i = 0; i < j->n; i++) {
        if (whole) {
            append(j, i, &w->recipients[i], msg);
        } else {
            j->names[i] = g_strdup(w->recipients[i].name);
            j->results[i] = result_of(-EINVAL, 0);
        }
    }
}

static void deliver(delivery *d, wire_conn *c, wire_message *m)
{
    const wire_deliver *w = &m->deliver;
    job *j = job_new(d, c, m);
    bool whole = is_whole(m), inline_body = m->n_fds == 0;
    int copy = whole && inline_body && j->n > 1 ? shared_copy(d, w) : -1;
    new_message msg = { .fd = inline_body ? copy : m->fds[0], .body = inline_body ? w->body.data : NULL, .size = w->size,
                        .summary = w->summary.data, .summary_len = w->summary.len, .date = w->date };
    j->pending = 1;              /* held until every append was asked for */
    append_all(j, w, &msg, whole);
    if (copy >= 0)
        close(copy);
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
