/* See pages.h. A page belongs to the daemon its file is named after, without the
 * "-N" of a sibling. Pages that cannot be read are passed over: their writers may
 * be of another version for a moment during an update, or hostile. */
#include "agents/stats/pages.h"

#include <string.h>

#include "lib/statpage/statpage.h"

enum { PAGES_MAX = 256, SUMS_MAX = 8192 };      /* bounds what a writer can make us keep */

typedef struct { uint64_t last; bool seen; } mark;

typedef struct {
    int32_t pid;
    uint64_t started_us;
    GHashTable *last;           /* name -> mark */
    bool present;
} known;

typedef struct { double counter, gauge; bool has_counter, has_gauge; } sum;

struct pages {
    char *folder;
    GHashTable *known;          /* file -> known */
    GHashTable *sums;           /* daemon TAB name -> sum */
    sum spill;                  /* what SUMS has no room for; never read */
};

static void known_free(void *data)
{
    known *k = data;
    g_hash_table_unref(k->last);
    g_free(k);
}

pages *pages_new(const char *folder)
{
    pages *p = g_new0(pages, 1);
    p->folder = g_strdup(folder);
    p->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
    p->sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return p;
}

void pages_free(pages *p)
{
    if (!p)
        return;
    g_hash_table_unref(p->known);
    g_hash_table_unref(p->sums);
    g_free(p->folder);
    g_free(p);
}

static char *daemon_of(const char *file)
{
    const char *dash = strrchr(file, '-');
    bool sibling = dash && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1);
    return sibling ? g_strndup(file, (gsize) (dash - file)) : g_strdup(file);
}

static sum *sum_of(pages *p, const char *daemon, const char *name)
{
    char *key = g_strdup_printf("%s\t%s", daemon, name);
    sum *s = g_hash_table_lookup(p->sums, key);
    if (s || g_hash_table_size(p->sums) >= SUMS_MAX) {
        g_free(key);
        return s ? s : &p->spill;
    }
    s = g_new0(sum, 1);
    g_hash_table_insert(p->sums, key, s);
    return s;
}

static known *known_of(pages *p, const char *file, const statpage_copy *c)
{
    known *k = g_hash_table_lookup(p->known, file);
    if (k && k->pid == c->pid && k->started_us == c->started_us)
        return k;
    k = g_new0(known, 1);
    *k = (known) { .pid = c->pid, .started_us = c->started_us, .last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    g_hash_table_replace(p->known, g_strdup(file), k);
    return k;
}

static void take_counter(pages *p, known *k, const char *daemon, const statpage_value *v)
{
    mark *m = g_hash_table_lookup(k->last, v->name);
    if (!m) {
        m = g_new0(mark, 1);
        g_hash_table_insert(k->last, g_strdup(v->name), m);
    }
    sum *s = sum_of(p, daemon, v->name);
    s->counter += v->value > m->last ? (double) (v->value - m->last) : 0;
    s->has_counter = true;
    m->last = v->value;
}

static void take_page(pages *p, const char *file)
{
    g_autofree char *path = g_build_filename(p->folder, file, NULL), *daemon = daemon_of(file);
    statpage_copy c;
    if (statpage_read(path, &c) < 0)
        return;
    bool alive = statpage_copy_alive(&c);
    known *k = known_of(p, file, &c);
    k->present = true;
    for (size_t i = 0; i < c.n; i++) {
        const statpage_value *v = &c.values[i];
        if (v->kind == STATPAGE_COUNTER) {
            take_counter(p, k, daemon, v);
        } else if (alive) {
            sum *s = sum_of(p, daemon, v->name);
            s->gauge += (double) v->value;
            s->has_gauge = true;
        }
    }
    statpage_copy_clear(&c);
}

static gboolean is_absent(gpointer key, gpointer value, gpointer data)
{
    return !((const known *) value)->present;
}

void pages_refresh(pages *p)
{
    GHashTableIter i;
    gpointer value;
    for (g_hash_table_iter_init(&i, p->known); g_hash_table_iter_next(&i, NULL, &value); )
        ((known *) value)->present = false;
    for (g_hash_table_iter_init(&i, p->sums); g_hash_table_iter_next(&i, NULL, &value); ) {
        ((sum *) value)->gauge = 0;
        ((sum *) value)->has_gauge = false;
    }
    g_autoptr(GDir) dir = g_dir_open(p->folder, 0, NULL);
    const char *file;
    for (unsigned n = 0; dir && n < PAGES_MAX && (file = g_dir_read_name(dir)); n++)
        if (!g_str_has_suffix(file, ".new"))
            take_page(p, file);
    (void) g_hash_table_foreach_remove(p->known, is_absent, NULL);
}

static const sum *find(const pages *p, const char *daemon, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s\t%s", daemon, name);
    return g_hash_table_lookup(p->sums, key);
}

bool pages_counter(const pages *p, const char *daemon, const char *name, double *ret)
{
    const sum *s = find(p, daemon, name);
    if (s && s->has_counter)
        *ret = s->counter;
    return s && s->has_counter;
}

bool pages_gauge(const pages *p, const char *daemon, const char *name, double *ret)
{
    const sum *s = find(p, daemon, name);
    if (s && s->has_gauge)
        *ret = s->gauge;
    return s && s->has_gauge;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *pages_names(const pages *p, const char *daemon, const char *prefix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *begin = g_strdup_printf("%s\t%s", daemon, prefix);
    GHashTableIter i;
    gpointer key, value;
    for (g_hash_table_iter_init(&i, p->sums); g_hash_table_iter_next(&i, &key, &value); )
        if (g_str_has_prefix(key, begin) && ((const sum *) value)->has_counter)
            g_ptr_array_add(names, g_strdup(strchr(key, '\t') + 1));
    g_ptr_array_sort(names, by_text);
    return names;
}
