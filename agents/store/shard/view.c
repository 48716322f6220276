/* Snapshots of a folder: a list of counted pages and where each begins. */
#include <string.h>

#include "agents/store/shard/content.h"

typedef struct {
    folder_view head;          /* what mailbox.h shows; first */
    gint refs;
    uint32_t n_pages;
    uint32_t *start;           /* index of each page's first record */
    page **pages;
} view;

static const view *view_of(const folder_view *v)
{
    return (const view *) v;
}

folder_view *folder_current_view(folder *f)
{
    if (f->view)
        return f->view;
    view *v = g_new0(view, 1);
    v->refs = 1;
    v->head.folder = f->info.id;
    v->head.uidvalidity = f->info.uidvalidity;
    v->head.uidnext = f->info.uidnext;
    v->head.unseen = f->info.unseen;
    v->head.highestmodseq = f->info.highestmodseq;
    v->n_pages = f->pages->len;
    v->start = g_new(uint32_t, v->n_pages);
    v->pages = g_new(page *, v->n_pages);
    for (uint32_t i = 0; i < v->n_pages; i++) {
        v->pages[i] = page_ref(f->pages->pdata[i]);
        v->start[i] = v->head.n;
        v->head.n += v->pages[i]->n;
    }
    return f->view = &v->head;
}

folder_view *folder_view_ref(folder_view *v)
{
    g_atomic_int_inc(&((view *) v)->refs);
    return v;
}

void folder_view_unref(folder_view *v)
{
    view *w = (view *) v;
    if (!w || !g_atomic_int_dec_and_test(&w->refs))
        return;
    for (uint32_t i = 0; i < w->n_pages; i++)
        page_unref(w->pages[i]);
    g_free(w->pages);
    g_free(w->start);
    g_free(w);
}

/* Last page that starts at or below INDEX. */
static uint32_t page_with(const view *w, uint32_t index)
{
    uint32_t low = 0, high = w->n_pages;
    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        if (w->start[mid] <= index)
            low = mid;
        else
            high = mid;
    }
    return low;
}

const message_record *folder_view_at(const folder_view *v, uint32_t index)
{
    const view *w = view_of(v);
    if (index >= v->n)
        return NULL;
    uint32_t i = page_with(w, index);
    return &w->pages[i]->records[index - w->start[i]];
}

uint32_t folder_view_lower(const folder_view *v, uint32_t uid)
{
    const view *w = view_of(v);
    uint32_t low = 0, high = w->n_pages, no = uid ? page_of(uid) : 0;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (w->pages[mid]->no < no)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == w->n_pages)
        return v->n;
    uint32_t i = 0;
    while (i < w->pages[low]->n && w->pages[low]->records[i].uid < uid)
        i++;
    return w->start[low] + i;
}

const message_record *folder_view_find(const folder_view *v, uint32_t uid)
{
    const message_record *r = folder_view_at(v, folder_view_lower(v, uid));
    return r && r->uid == uid ? r : NULL;
}

typedef struct { const view *v; uint32_t page, at; } walker;

static const message_record *walker_record(const walker *w)
{
    return w->page < w->v->n_pages ? &w->v->pages[w->page]->records[w->at] : NULL;
}

static uint32_t walker_index(const walker *w)
{
    return w->v->start[w->page] + w->at;
}

static void walker_next(walker *w)
{
    if (++w->at >= w->v->pages[w->page]->n) {
        w->page++;
        w->at = 0;
    }
}

static bool at_shared_page(const walker *a, const walker *b)
{
    return a->at == 0 && b->at == 0 && a->page < a->v->n_pages && b->page < b->v->n_pages &&
           a->v->pages[a->page] == b->v->pages[b->page];
}

void folder_view_diff(const folder_view *before, const folder_view *after, folder_diff_fn fn, void *data)
{
    walker a = { view_of(before), 0, 0 }, b = { view_of(after), 0, 0 };
    for (;;) {
        if (at_shared_page(&a, &b)) {
            a.page++;
            b.page++;
            continue;
        }
        const message_record *x = walker_record(&a), *y = walker_record(&b);
        if (!x && !y)
            return;
        bool same = x && y && x->uid == y->uid;
        if (same && memcmp(x, y, sizeof *x) != 0)
            fn(x, y, walker_index(&b), data);
        else if (!same && x && (!y || x->uid < y->uid))
            fn(x, NULL, walker_index(&a), data);
        else if (!same)
            fn(NULL, y, walker_index(&b), data);
        bool next_a = x && (same || !y || x->uid < y->uid), next_b = y && (same || !x || y->uid < x->uid);
        if (next_a)
            walker_next(&a);
        if (next_b)
            walker_next(&b);
    }
}
