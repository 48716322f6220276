/* What one sampling yields: tables of numbers, the same for every sink (CSV, RRD,
 * OpenMetrics, the sample file), so that no two of them can disagree.
 *
 * A field is a gauge (its value is what was measured) or a counter: collectors give
 * its running total, growth_take() makes the growth since the last sample of
 * it. CSV and RRD show the growth, metrics and sample file the total. Numbers are
 * rounded to thousandths when put, so every text form of one reads back equal. */
#ifndef MAILSTEAD_STATS_SAMPLE_H
#define MAILSTEAD_STATS_SAMPLE_H

#include <glib.h>
#include <stdbool.h>

typedef enum { FIELD_GAUGE, FIELD_COUNTER } field_kind;

typedef struct {
    const char *name;           /* CSV column */
    field_kind kind;
    const char *unit;           /* "bytes", "percent"…; NULL: a plain number */
    const char *help;
    const char *metric;         /* NULL: made of the name */
} stat_field;

/* WIDE: one line a sample, a column for each label and field. LONG: one line for
 * each label, label and note in columns of their own. */
typedef enum { CSV_WIDE, CSV_LONG } csv_layout;

typedef struct {
    const char *name;           /* cpu: of cpu.csv, mailstead_cpu_… */
    const char *help;
    csv_layout layout;
    const char *label;          /* what the rows are told apart by: "cpu", "device"; NULL: one row */
    const char *note;           /* second text of a row (LONG): "disk"; NULL: none */
    const char *separator;      /* WIDE: between label and field in the header */
    bool names_row;             /* WIDE: a text column with the label comes before its fields */
    const stat_field *fields;
    size_t n_fields;
} stat_group;

typedef struct {
    char *label, *note;         /* "" when there is none */
    double *value;              /* a field's gauge, or a counter's growth; NAN: not known */
    double *total;              /* counters; NAN: not known */
} sample_row;

typedef struct {
    const stat_group *group;
    gint64 time;                /* wall clock, seconds */
    bool fresh;                 /* measured for this sample, not kept from an earlier one */
    GPtrArray *rows;            /* sample_row * */
    stat_group *own;            /* group and its strings when they are the table's */
    GStringChunk *strings;
} sample_table;

sample_table *sample_table_new(const stat_group *group);
/* With a group of its own, to be filled: its strings go to ->strings, FIELDS is taken over (g_free). */
sample_table *sample_table_new_own(stat_field *fields, size_t n_fields);
void sample_table_free(sample_table *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sample_table, sample_table_free)

/* LABEL and NOTE may be NULL. Everything in the row is unknown until put. */
sample_row *sample_add(sample_table *t, const char *label, const char *note);
/* A gauge's value or a counter's running total. */
void sample_put(const sample_table *t, sample_row *r, size_t field, double v);

/* Totals of counters as they were, and growth made of them. */
typedef struct growth growth;
growth *growth_new(void);
void growth_free(growth *g);
/* A total that fell began anew (its program was restarted). */
void growth_take(growth *g, sample_table *t);

/* A number as every sink writes it; "" for an unknown one. Caller frees. */
char *sample_text(double v);

#endif
