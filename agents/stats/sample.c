/* See sample.h. */
#include "agents/stats/sample.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- tables ---- */

static void row_free(void *data)
{
    sample_row *r = data;
    g_free(r->label);
    g_free(r->note);
    g_free(r->value);
    g_free(r->total);
    g_free(r);
}

sample_table *sample_table_new(const stat_group *group)
{
    sample_table *t = g_new0(sample_table, 1);
    t->group = group;
    t->rows = g_ptr_array_new_with_free_func(row_free);
    return t;
}

sample_table *sample_table_new_own(stat_field *fields, size_t n_fields)
{
    sample_table *t = sample_table_new(NULL);
    t->strings = g_string_chunk_new(1024);
    t->own = g_new0(stat_group, 1);
    t->own->fields = fields;
    t->own->n_fields = n_fields;
    t->group = t->own;
    return t;
}

void sample_table_free(sample_table *t)
{
    if (!t)
        return;
    g_ptr_array_unref(t->rows);
    if (t->own) {
        g_free((void *) (uintptr_t) t->own->fields);
        g_string_chunk_free(t->strings);
        g_free(t->own);
    }
    g_free(t);
}

sample_row *sample_add(sample_table *t, const char *label, const char *note)
{
    sample_row *r = g_new0(sample_row, 1);
    r->label = g_strdup(label ? label : "");
    r->note = g_strdup(note ? note : "");
    r->value = g_new(double, t->group->n_fields);
    r->total = g_new(double, t->group->n_fields);
    for (size_t i = 0; i < t->group->n_fields; i++)
        r->value[i] = r->total[i] = NAN;
    g_ptr_array_add(t->rows, r);
    return r;
}

void sample_put(const sample_table *t, sample_row *r, size_t field, double v)
{
    g_assert(field < t->group->n_fields);
    double rounded = isfinite(v) ? round(v * 1000) / 1000 : NAN;
    if (t->group->fields[field].kind == FIELD_COUNTER)
        r->total[field] = rounded;
    else
        r->value[field] = rounded;
}

char *sample_text(double v)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(v))
        return g_strdup("");
    if (v == trunc(v) && fabs(v) < 1e15)
        return g_strdup(g_ascii_formatd(text, sizeof text, "%.0f", v + 0.0));   /* + 0.0: no "-0" */
    g_ascii_formatd(text, sizeof text, fabs(v) < 1e15 ? "%.3f" : "%.17g", v);
    for (size_t n = strlen(text); fabs(v) < 1e15 && text[n - 1] == '0'; n--)
        text[n - 1] = '\0';
    return g_strdup(text);
}

/* ---- growth ---- */

typedef struct { double raw, total; unsigned round; } past;

struct growth {
    GHashTable *tables;         /* name -> (label TAB field -> past) */
    unsigned round;
};

growth *growth_new(void)
{
    growth *g = g_new0(growth, 1);
    g->tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
    return g;
}

void growth_free(growth *g)
{
    if (!g)
        return;
    g_hash_table_unref(g->tables);
    g_free(g);
}

static void take_field(growth *g, GHashTable *table, sample_row *r, const stat_field *f, size_t i)
{
    double raw = r->total[i];
    if (f->kind != FIELD_COUNTER || isnan(raw))
        return;
    char *key = g_strdup_printf("%s\t%s", r->label, f->name);
    past *p = g_hash_table_lookup(table, key);
    if (p) {
        r->value[i] = raw >= p->raw ? raw - p->raw : raw;
        p->total += r->value[i];
        g_free(key);
    } else {
        p = g_new0(past, 1);
        p->total = raw;
        g_hash_table_insert(table, key, p);
    }
    p->raw = raw;
    p->round = g->round;
    r->total[i] = p->total;
}

static gboolean is_old(gpointer key, gpointer value, gpointer data)
{
    return ((const past *) value)->round != *(const unsigned *) data;
}

void growth_take(growth *g, sample_table *t)
{
    GHashTable *table = g_hash_table_lookup(g->tables, t->group->name);
    if (!table) {
        table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(g->tables, g_strdup(t->group->name), table);
    }
    g->round++;
    for (guint n = 0; n < t->rows->len; n++)
        for (size_t i = 0; i < t->group->n_fields; i++)
            take_field(g, table, t->rows->pdata[n], &t->group->fields[i], i);
    (void) g_hash_table_foreach_remove(table, is_old, &g->round);    /* rows that went away */
}
