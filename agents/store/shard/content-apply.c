/* What each type of operation does to folders and records. An operation carries
 * its results, so nothing here can fail or decide; a folder that is missing (it
 * was deleted by a later operation already applied elsewhere) is passed over. */
#include <string.h>

#include "agents/store/shard/content.h"

/* ---- records ---- */

/* The state changes: views made before keep their pages. */
static void touch(folder *f)
{
    folder_view_unref(f->view);
    f->view = NULL;
    f->dirty = true;
}

/* A page that may be written: copied when a view shares it. */
static page *page_for_write(folder *f, page *p)
{
    if (g_atomic_int_get(&p->refs) > 1) {
        page *copy = g_memdup2(p, sizeof *p);
        copy->refs = 1;
        for (guint i = 0; i < f->pages->len; i++)
            if (f->pages->pdata[i] == p)
                f->pages->pdata[i] = copy;
        page_unref(p);
        p = copy;
    }
    p->dirty = true;
    return p;
}

static void add_record(folder *f, const message_record *r)
{
    if (!f->pages)
        return;
    page *p = folder_page(f, page_of(r->uid));
    if (!p) {
        p = page_new(page_of(r->uid));
        folder_insert_page(f, p);
    }
    p = page_for_write(f, p);
    uint32_t at = p->n;
    while (at > 0 && p->records[at - 1].uid >= r->uid)
        at--;
    g_assert(p->n < PAGE_RECORDS);
    memmove(&p->records[at + 1], &p->records[at], (p->n - at) * sizeof *r);
    p->records[at] = *r;
    p->n++;
}

static void set_flags(const op *o, message_record *r)
{
    uint64_t tags = (uint64_t) r->tags_hi << 32 | r->tags_lo;
    switch (o->mode) {
    case FLAGS_SET: r->flags = o->flags; tags = o->tags; break;
    case FLAGS_ADD: r->flags |= o->flags; tags |= o->tags; break;
    default: r->flags &= ~o->flags; tags &= ~o->tags; break;
    }
    r->tags_lo = (uint32_t) tags;
    r->tags_hi = (uint32_t) (tags >> 32);
    r->modseq = o->modseq;
}

static guint first_page_from(const folder *f, uint32_t no)
{
    guint i = 0, high = f->pages->len;
    while (i < high) {
        guint mid = (i + high) / 2;
        if (((const page *) f->pages->pdata[mid])->no < no)
            i = mid + 1;
        else
            high = mid;
    }
    return i;
}

static void flag_range(folder *f, const op *o, uid_range range)
{
    for (guint i = first_page_from(f, page_of(range.first)); i < f->pages->len; i++) {
        page *p = f->pages->pdata[i];
        if (p->no > page_of(range.last))
            break;
        p = page_for_write(f, p);
        for (uint32_t k = 0; k < p->n; k++)
            if (p->records[k].uid >= range.first && p->records[k].uid <= range.last)
                set_flags(o, &p->records[k]);
    }
}

static void remove_range(folder *f, const op *o, uid_range range, const content_sink *sink)
{
    for (guint i = first_page_from(f, page_of(range.first)); i < f->pages->len; i++) {
        page *p = f->pages->pdata[i];
        if (p->no > page_of(range.last))
            break;
        p = page_for_write(f, p);
        uint32_t kept = 0;
        for (uint32_t k = 0; k < p->n; k++) {
            if (p->records[k].uid < range.first || p->records[k].uid > range.last)
                p->records[kept++] = p->records[k];
            else if (sink && sink->item_removed)
                sink->item_removed(o, p->records[k].item, sink->data);
        }
        p->n = kept;
    }
}

static void drop_empty_pages(folder *f)
{
    guint kept = 0;
    for (guint i = 0; i < f->pages->len; i++) {
        page *p = f->pages->pdata[i];
        if (p->n)
            f->pages->pdata[kept++] = p;
        else
            page_unref(p);
    }
    /* What lies behind was moved or dropped above. */
    for (guint i = kept; i < f->pages->len; i++)
        f->pages->pdata[i] = NULL;
    g_ptr_array_set_size(f->pages, (gint) kept);
}

static void copies_arrive(folder *to, const op *o)
{
    for (size_t i = 0; i < o->n_copies; i++)
        add_record(to, &o->copies[i].record);
}

static void copies_leave(folder *from, const op *o)
{
    for (size_t i = 0; from->pages && i < o->n_copies; i++)
        remove_range(from, o, (uid_range) { o->copies[i].uid, o->copies[i].uid }, NULL);
}

void folder_apply_records(folder *f, const op *o)
{
    switch (o->type) {
    case OP_ADD:
        if (o->folder == f->info.id)
            add_record(f, &o->record);
        break;
    case OP_FLAGS:
        for (size_t i = 0; o->folder == f->info.id && i < o->n_uids; i++)
            flag_range(f, o, o->uids[i]);
        break;
    case OP_EXPUNGE:
        for (size_t i = 0; o->folder == f->info.id && i < o->n_uids; i++)
            remove_range(f, o, o->uids[i], NULL);
        break;
    case OP_COPY:
        if (o->to == f->info.id)
            copies_arrive(f, o);
        if (o->move && o->folder == f->info.id)
            copies_leave(f, o);
        break;
    case OP_FOLDER_DELETE:
        if (o->folder == f->info.id)
            remove_range(f, o, (uid_range) { 1, UINT32_MAX }, NULL);
        break;
    default:
        break;
    }
    drop_empty_pages(f);
}

/* ---- whole operations ---- */

static void apply_mailbox(content *c, const op *o)
{
    static const struct { uint32_t id; const char *name; unsigned special_use; } own[] = {
        { FOLDER_ID_INBOX, "INBOX", FOLDER_INBOX }, { FOLDER_ID_TRASH, "Trash", FOLDER_TRASH },
        { FOLDER_ID_JUNK, "Junk", FOLDER_JUNK },    { FOLDER_ID_SENT, "Sent", FOLDER_SENT },
        { FOLDER_ID_DRAFTS, "Drafts", FOLDER_DRAFTS },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
        folder *f = folder_new(own[i].id, own[i].name);
        f->info.special_use = own[i].special_use;
        f->info.subscribed = true;
        f->info.uidvalidity = o->uidvalidity;
        f->info.highestmodseq = 1;
        f->pages = g_ptr_array_new_with_free_func((GDestroyNotify) page_unref);
        f->dirty = true;
        content_insert_folder(c, f);
    }
}

static void count(folder *f, int64_t messages, int64_t unseen, int64_t bytes, uint64_t modseq)
{
    f->bytes = (uint64_t) ((int64_t) f->bytes + bytes);
    f->info.messages = (uint32_t) (f->info.messages + messages);
    f->info.unseen = (uint32_t) (f->info.unseen + unseen);
    f->info.highestmodseq = MAX(f->info.highestmodseq, modseq);
    touch(f);
}

static void apply_add(content *c, const op *o, const content_sink *sink)
{
    folder *f = content_folder(c, o->folder);
    if (!f)
        return;
    add_record(f, &o->record);
    f->info.uidnext = MAX(f->info.uidnext, o->record.uid + 1);
    count(f, 1, !(o->record.flags & MSG_SEEN), o->record.size, o->record.modseq);
    if (sink && sink->item_added)
        sink->item_added(o, &o->record, sink->data);
}

static void apply_flags(content *c, const op *o)
{
    folder *f = content_folder(c, o->folder);
    if (!f)
        return;
    for (size_t i = 0; f->pages && i < o->n_uids; i++)
        flag_range(f, o, o->uids[i]);
    count(f, 0, o->unseen, 0, o->modseq);
}

static void apply_copy(content *c, const op *o, const content_sink *sink)
{
    folder *from = content_folder(c, o->folder), *to = content_folder(c, o->to);
    if (to && o->n_copies) {
        copies_arrive(to, o);
        to->info.uidnext = MAX(to->info.uidnext, o->copies[o->n_copies - 1].record.uid + 1);
        count(to, (int64_t) o->n_copies, o->unseen, (int64_t) o->bytes, o->modseq);
    }
    if (o->move && from) {
        copies_leave(from, o);
        count(from, -(int64_t) o->n_copies, -o->unseen, -(int64_t) o->bytes, o->modseq);
        if (sink && sink->uids_expunged)
            sink->uids_expunged(o, from, sink->data);
        if (from->pages && !c->keep_empty)
            drop_empty_pages(from);
    }
    for (size_t i = 0; !o->move && sink && sink->item_copied && i < o->n_copies; i++)
        sink->item_copied(o, &o->copies[i], sink->data);
}

static void apply_expunge(content *c, const op *o, const content_sink *sink)
{
    folder *f = content_folder(c, o->folder);
    if (!f)
        return;
    for (size_t i = 0; f->pages && i < o->n_uids; i++)
        remove_range(f, o, o->uids[i], sink);
    count(f, -(int64_t) o->messages, o->unseen, -(int64_t) o->bytes, o->modseq);
    if (sink && sink->uids_expunged)
        sink->uids_expunged(o, f, sink->data);
    if (f->pages && !c->keep_empty)
        drop_empty_pages(f);
}

static void apply_folder(content *c, const op *o)
{
    folder *f = content_folder(c, o->folder);
    if (!f) {
        f = folder_new(o->folder, o->name);
        f->pages = g_ptr_array_new_with_free_func((GDestroyNotify) page_unref);
        content_insert_folder(c, f);
    }
    f->info.special_use = o->special_use;
    f->info.subscribed = o->subscribed;
    f->info.noselect = o->noselect;
    f->info.uidvalidity = o->uidvalidity;
    f->info.highestmodseq = MAX(f->info.highestmodseq, o->modseq);
    touch(f);
}

static void apply_folder_delete(content *c, const op *o, const content_sink *sink)
{
    folder *f = content_folder(c, o->folder);
    if (!f)
        return;
    if (f->pages)
        remove_range(f, o, (uid_range) { 1, UINT32_MAX }, sink);
    count(f, -(int64_t) f->info.messages, -(int64_t) f->info.unseen, -(int64_t) f->bytes, o->modseq);
    if (o->noselect)
        f->info.noselect = true;
    else if (c->keep_empty)
        f->removed = true;
    else
        g_ptr_array_remove(c->folders, f);
    if (o->noselect && f->pages && !c->keep_empty)
        drop_empty_pages(f);
}

static void rename_one(folder *f, char *name)
{
    g_free(f->name);
    f->info.name = f->name = name;
    touch(f);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(folder *const *) a)->name, (*(folder *const *) b)->name);
}

static void apply_rename(content *c, const op *o)
{
    folder *f = content_folder(c, o->folder);
    if (!f)
        return;
    g_autofree char *old = g_strdup(f->name);
    for (guint i = 0; i < c->folders->len; i++) {
        folder *child = c->folders->pdata[i];
        if (!child->removed && folder_name_below(child->name, old))
            rename_one(child, g_strconcat(o->name, child->name + strlen(old), NULL));
    }
    rename_one(f, g_strdup(o->name));
    g_ptr_array_sort(c->folders, by_name);
}

static void apply_subscribe(content *c, const op *o)
{
    folder *f = content_folder(c, o->folder);
    if (f) {
        f->info.subscribed = o->subscribed;
        touch(f);
    }
}

static void apply_tag(content *c, const op *o, const content_sink *sink)
{
    if (o->flags >= TAGS)
        return;
    g_free(c->tags[o->flags]);
    c->tags[o->flags] = g_strdup(o->name);
    if (sink && sink->tag_added)
        sink->tag_added(o, sink->data);
}

void content_apply(content *c, const op *o, const content_sink *sink)
{
    switch (o->type) {
    case OP_MAILBOX: apply_mailbox(c, o); break;
    case OP_ADD: apply_add(c, o, sink); break;
    case OP_FLAGS: apply_flags(c, o); break;
    case OP_COPY: apply_copy(c, o, sink); break;
    case OP_EXPUNGE: apply_expunge(c, o, sink); break;
    case OP_FOLDER: apply_folder(c, o); break;
    case OP_FOLDER_DELETE: apply_folder_delete(c, o, sink); break;
    case OP_FOLDER_RENAME: apply_rename(c, o); break;
    case OP_SUBSCRIBE: apply_subscribe(c, o); break;
    case OP_TAG: apply_tag(c, o, sink); break;
    case OP_CHECKPOINT: case OP_TYPES: break;
    }
}
