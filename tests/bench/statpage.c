/* What counting costs: raising a value of a statistics page, alone and with a second
 * thread on the same value and on another, and reading a page as zmstatd does. */
#include <glib.h>

#include "lib/statpage/statpage.h"

enum { ROUNDS = 20 * 1000 * 1000, READS = 2000, VALUES = 64 };

typedef struct { statpage *page; unsigned value; } work;

static void *raise_value(void *data)
{
    const work *w = data;
    for (unsigned i = 0; i < ROUNDS; i++)
        statpage_inc(w->page, w->value);
    return NULL;
}

static void report(const char *what, gint64 begun, double n)
{
    g_print("%-44s %8.1f ns\n", what, (double) (g_get_monotonic_time() - begun) * 1000 / n);
}

static void both(statpage *p, unsigned other, const char *what)
{
    work a = { p, 0 }, b = { p, other };
    gint64 begun = g_get_monotonic_time();
    GThread *t = g_thread_new("other", raise_value, &b);
    (void) raise_value(&a);
    g_thread_join(t);
    report(what, begun, ROUNDS);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    statpage_def defs[VALUES];
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < VALUES; i++) {
        g_ptr_array_add(names, g_strdup_printf("value%u", i));
        defs[i] = (statpage_def) { names->pdata[i], STATPAGE_COUNTER };
    }
    statpage *p = statpage_new(folder, "page", defs, VALUES, NULL);
    work one = { p, 0 };
    gint64 begun = g_get_monotonic_time();
    (void) raise_value(&one);
    report("increment", begun, ROUNDS);
    both(p, 0, "increment, two threads on one value");
    both(p, 32, "increment, two threads on two values");
    g_autofree char *path = g_build_filename(folder, "page", NULL);
    begun = g_get_monotonic_time();
    for (unsigned i = 0; i < READS; i++) {
        statpage_copy c;
        if (statpage_read(path, &c) < 0)
            return 1;
        statpage_copy_clear(&c);
    }
    report("read and check a page of 64 values", begun, READS);
    statpage_free(p);
    return 0;
}
