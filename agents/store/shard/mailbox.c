/* Mailboxes of a shard: their headers are always in memory, their folders while
 * somebody uses them, a folder's records once it was viewed. What is read from
 * the database is the state of an LSN; the operations that are pending beyond it
 * are applied on top, so a load never waits for the log or a batch. */
#include <errno.h>
#include <string.h>

#include "agents/store/shard/shard-internal.h"
#include "lib/journal/journal.h"

enum { ACCOUNT_MAX = 128, NAME_MAX_BYTES = 320 };

/* ---- objects ---- */

mailbox *mailbox_new(shard *s, const mailbox_header *h)
{
    mailbox *m = g_new0(mailbox, 1);
    m->shard = s;
    m->header = *h;
    m->header.account = g_strdup(h->account);
    m->header.name = g_strdup(h->name);
    m->group = &s->groups[h->group % s->n_groups];
    g_hash_table_insert(s->by_account, m->header.account, m);
    g_hash_table_insert(s->by_id, &m->header.id, m);
    s->next_mailbox = MAX(s->next_mailbox, h->id + MAILBOX_ID_STRIDE);
    return m;
}

void mailbox_free(mailbox *m)
{
    content_free(m->content);
    g_free(m->header.account);
    g_free(m->header.name);
    if (m->watches)
        g_ptr_array_unref(m->watches);
    if (m->fresh)
        g_hash_table_unref(m->fresh);
    if (m->folder_loads)
        g_hash_table_unref(m->folder_loads);
    g_free(m);
}

mailbox *mailbox_ref(mailbox *m)
{
    m->refs++;
    return m;
}

void mailbox_unref(mailbox *m)
{
    if (!m)
        return;
    g_assert(m->refs > 0);
    if (--m->refs == 0)
        m->idle_since = g_get_monotonic_time();
}

uint64_t mailbox_id(const mailbox *m) { return m->header.id; }
const char *mailbox_account_id(const mailbox *m) { return m->header.account; }
void mailbox_set_quota(mailbox *m, int64_t quota_bytes) { m->quota = quota_bytes; }
uint64_t mailbox_size(const mailbox *m) { return m->header.size; }

bool mailbox_over_quota(const mailbox *m, uint64_t more_bytes)
{
    return m->quota > 0 && m->header.size + more_bytes > (uint64_t) m->quota;
}

static bool account_ok(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(id[i]) && !strchr("-._@+", id[i]))
            return false;
    return len > 0 && len <= ACCOUNT_MAX;
}

/* A new mailbox: logged and in memory at once. */
static mailbox *mailbox_create(shard *s, const char *account_id, const char *name)
{
    mailbox_header h = { .id = s->next_mailbox, .account = (char *) (uintptr_t) account_id, .name = (char *) (uintptr_t) name };
    h.group = (uint32_t) (h.id / MAILBOX_ID_STRIDE % s->n_groups);
    mailbox *m = mailbox_new(s, &h);
    op *o = op_new(OP_MAILBOX);
    o->account = g_strdup(account_id);
    o->name = g_strdup(name);
    o->group = h.group;
    o->uidvalidity = (uint32_t) (g_get_real_time() / G_USEC_PER_SEC);
    m->content = content_new(h.id);
    g_hash_table_add(s->loaded, m);
    m->idle_since = g_get_monotonic_time();
    submit(m, o, NULL);
    return m;
}

mailbox *mailbox_get(shard *s, const char *id, const char *name, int *ret_error)
{
    g_autofree char *account_id = g_ascii_strdown(id, -1);    /* as wire_shard_of() reads it */
    mailbox *m = g_hash_table_lookup(s->by_account, account_id);
    if (m)
        return m;
    *ret_error = -EINVAL;
    if (!account_ok(account_id) || strlen(name) > NAME_MAX_BYTES)
        return NULL;
    *ret_error = -EXDEV;
    if (shard_of(account_id, s->config.count) != s->config.number)
        return NULL;
    *ret_error = s->closing ? -ESHUTDOWN : -EAGAIN;
    if (s->closing || !redo_log_has_reserve(s->log))
        return NULL;
    return mailbox_create(s, account_id, name);
}

mailbox *mailbox_open_header(shard *s, const char *account_id, const char *name)
{
    int r;
    mailbox *m = mailbox_get(s, account_id, name, &r);
    return m ? mailbox_ref(m) : NULL;
}

/* ---- loading folders ---- */

typedef struct { mailbox *mailbox; content *content; uint64_t applied; } load_job;

static void run_load(void *data)
{
    load_job *j = data;
    group_db *db = group_opened(j->mailbox->group);
    j->content = group_db_load(db, j->mailbox->header.id);
    j->applied = group_db_applied(db);
}

static void each_pending(mailbox *m, uint64_t above, void (*fn)(const op *o, void *data), void *data)
{
    for (GList *l = m->group->pending.head; l; l = l->next) {
        const op *o = l->data;
        if (o->mailbox == m->header.id && o->lsn > above)
            fn(o, data);
    }
}

static void replay(const op *o, void *data)
{
    content_apply(data, o, NULL);
}

static void call_waiters(GArray *waiters, int r, mailbox *m)
{
    for (guint i = 0; i < waiters->len; i++) {
        load_waiter *w = &g_array_index(waiters, load_waiter, i);
        w->fn(r, m, w->data);
    }
    g_array_unref(waiters);
}

/* Folders that exist by a pending operation only have an (empty) page list; its
 * records are complete. All others get theirs when viewed. */
static void loaded(void *data)
{
    load_job *j = data;
    mailbox *m = j->mailbox;
    each_pending(m, j->applied, replay, j->content);
    m->content = j->content;
    m->group->open = true;
    g_hash_table_add(m->shard->loaded, m);
    if (m->refs == 0)
        m->idle_since = g_get_monotonic_time();
    g_free(j);
    call_waiters(g_steal_pointer(&m->load_waiters), 0, m);
}

static void add_waiter(GArray *a, load_fn fn, void *data)
{
    load_waiter w = { fn, data };
    g_array_append_val(a, w);
}

void mailbox_load(mailbox *m, load_fn fn, void *data)
{
    if (m->content) {
        fn(0, m, data);
        return;
    }
    bool first = !m->load_waiters;
    if (first)
        m->load_waiters = g_array_new(FALSE, FALSE, sizeof(load_waiter));
    add_waiter(m->load_waiters, fn, data);
    if (!first)
        return;
    load_job *j = g_new0(load_job, 1);
    j->mailbox = m;
    job_push(m->group->queue, run_load, loaded, j);
}

typedef struct { mailbox_cb cb; void *data; } open_request;

static void opened(int r, mailbox *m, void *data)
{
    open_request *q = data;
    q->cb(r, mailbox_ref(m), q->data);
    mailbox_unref(m);      /* the request's own */
    g_free(q);
}

void mailbox_open(shard *s, const char *account_id, const char *name, mailbox_cb cb, void *data)
{
    int r;
    mailbox *m = mailbox_get(s, account_id, name, &r);
    if (!m) {
        cb(r, NULL, data);
        return;
    }
    open_request *q = g_new(open_request, 1);
    *q = (open_request) { cb, data };
    mailbox_load(mailbox_ref(m), opened, q);
}

/* ---- loading records ---- */

typedef struct { mailbox *mailbox; uint32_t id; folder *folder; uint64_t applied; } folder_job;

static void run_load_folder(void *data)
{
    folder_job *j = data;
    group_db *db = group_opened(j->mailbox->group);
    j->folder = group_db_load_folder(db, j->mailbox->header.id, j->id);
    j->applied = group_db_applied(db);
}

static void replay_records(const op *o, void *data)
{
    folder_apply_records(data, o);
}

static uint32_t records_in(const folder *f)
{
    uint32_t n = 0;
    for (guint i = 0; i < f->pages->len; i++)
        n += ((const page *) f->pages->pdata[i])->n;
    return n;
}

static void take_pages(mailbox *m, folder *f, folder_job *j)
{
    if (j->folder)
        f->pages = g_steal_pointer(&j->folder->pages);
    else
        f->pages = g_ptr_array_new_with_free_func((GDestroyNotify) page_unref);
    each_pending(m, j->applied, replay_records, f);
    uint32_t n = records_in(f);
    if (n != f->info.messages)
        journal_error("Mailbox %" G_GUINT64_FORMAT " of %s: folder %u counts %u messages but holds %u; the records are taken as right",
                      m->header.id, m->header.name, f->info.id, f->info.messages, n);
    f->info.messages = n;
}

static void folder_loaded(void *data)
{
    folder_job *j = data;
    mailbox *m = j->mailbox;
    GArray *waiters = NULL;
    g_hash_table_steal_extended(m->folder_loads, GUINT_TO_POINTER(j->id), NULL, (gpointer *) &waiters);
    folder *f = content_folder(m->content, j->id);
    if (f && !f->pages)
        take_pages(m, f, j);
    folder_free(j->folder);
    g_free(j);
    call_waiters(waiters, f ? 0 : -ENOENT, m);
}

void mailbox_load_folder(mailbox *m, uint32_t id, load_fn fn, void *data)
{
    folder *f = content_folder(m->content, id);
    if (!f || f->pages) {
        fn(f ? 0 : -ENOENT, m, data);
        return;
    }
    if (!m->folder_loads)
        m->folder_loads = g_hash_table_new(NULL, NULL);
    GArray *waiters = g_hash_table_lookup(m->folder_loads, GUINT_TO_POINTER(id));
    if (waiters) {
        add_waiter(waiters, fn, data);
        return;
    }
    waiters = g_array_new(FALSE, FALSE, sizeof(load_waiter));
    add_waiter(waiters, fn, data);
    g_hash_table_insert(m->folder_loads, GUINT_TO_POINTER(id), waiters);
    folder_job *j = g_new0(folder_job, 1);
    j->mailbox = m;
    j->id = id;
    job_push(m->group->queue, run_load_folder, folder_loaded, j);
}

/* ---- unloading ---- */

static gboolean idle(gpointer key, gpointer value, gpointer data)
{
    mailbox *m = key;
    if (m->refs > 0 || (m->folder_loads && g_hash_table_size(m->folder_loads) > 0))
        return FALSE;
    if (g_get_monotonic_time() - m->idle_since < IDLE_SECONDS * G_USEC_PER_SEC)
        return FALSE;
    g_clear_pointer(&m->content, content_free);
    return TRUE;
}

void mailbox_evict_idle(shard *s)
{
    g_hash_table_foreach_remove(s->loaded, idle, NULL);
}
