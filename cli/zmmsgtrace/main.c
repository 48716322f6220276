/* zmmsgtrace: what became of a message, from the record that zmloggerd keeps. See
 * zmmsgtrace(8). */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/zmmsgtrace/zmmsgtrace.h"

static char *arg_id, *arg_sender, *arg_recipient, *arg_source, *arg_destination, *arg_time, *arg_queue, *arg_database;
static int arg_year;
static const GOptionEntry options[] = {
    { "id", 'i', 0, G_OPTION_ARG_STRING, &arg_id, "Message-ID, with or without < >", "REGEX" },
    { "sender", 's', 0, G_OPTION_ARG_STRING, &arg_sender, "Sender of the envelope", "REGEX" },
    { "recipient", 'r', 0, G_OPTION_ARG_STRING, &arg_recipient, "A recipient of the envelope", "REGEX" },
    { "srchost", 'F', 0, G_OPTION_ARG_STRING, &arg_source, "Name or address of the host it came from", "REGEX" },
    { "desthost", 'D', 0, G_OPTION_ARG_STRING, &arg_destination, "Name or address of a host it went to", "REGEX" },
    { "time", 't', 0, G_OPTION_ARG_STRING, &arg_time, "When it came, both ends YYYYMM[DD[hh[mm[ss]]]]; either may be empty", "FROM,TO" },
    { "queue-id", 'q', 0, G_OPTION_ARG_STRING, &arg_queue, "Postfix's queue id", "ID" },
    { "year", 0, 0, G_OPTION_ARG_INT, &arg_year, "Accepted for old scripts; times here have their year", "YEAR" },
    { "database", 0, 0, G_OPTION_ARG_FILENAME, &arg_database, "Default " MAILLOG_PATH, "PATH" },
    { NULL },
};

typedef struct {
    const char *host;
    guint found;
} output;

static void on_found(const traced *t, void *data)
{
    output *o = data;
    o->found++;
    print_traced(t, o->host);
}

/* YYYYMM[DD[hh[mm[ss]]]]: the beginning of that time, or its end. */
static bool parse_time(const char *text, bool end, gint64 *usec)
{
    int v[6] = { 0, 1, 1, 0, 0, 0 };
    size_t n = strlen(text), parts = n / 2 - 1;
    if (n < 6 || n > 14 || n % 2 || strspn(text, "0123456789") != n)
        return false;
    for (size_t i = 0; i < parts; i++) {
        g_autofree char *part = g_strndup(text + (i == 0 ? 0 : 2 + 2 * i), i == 0 ? 4 : 2);
        v[i] = (int) g_ascii_strtoll(part, NULL, 10);
    }
    g_autoptr(GDateTime) t = g_date_time_new_local(v[0], v[1], v[2], v[3], v[4], v[5]);
    if (t && end) {
        int add[6] = { 0, 0, 0, 0, 0, 0 };
        add[parts - 1] = 1;
        GDateTime *next = g_date_time_add_full(t, add[0], add[1], add[2], add[3], add[4], add[5]);
        g_date_time_unref(t);
        t = next;
    }
    if (t)
        *usec = g_date_time_to_unix(t) * G_USEC_PER_SEC;
    return t != NULL;
}

static bool parse_times(criteria *c, GError **error)
{
    c->since = 0;
    c->until = G_MAXINT64;
    if (!arg_time)
        return true;
    g_auto(GStrv) ends = g_strsplit(arg_time, ",", 2);
    if ((!ends[0] || !*ends[0] || parse_time(ends[0], false, &c->since)) &&
        (!ends[0] || !ends[1] || !*ends[1] || parse_time(ends[1], true, &c->until)))
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "-t %s is no time: give YYYYMM[DD[hh[mm[ss]]]],YYYYMM[DD[hh[mm[ss]]]]",
                arg_time);
    return false;
}

static bool compile(const char *text, GRegex **regex, GError **error)
{
    if (!text)
        return true;
    *regex = g_regex_new(text, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, error);
    return *regex != NULL;
}

static bool parse_criteria(criteria *c, GError **error)
{
    c->queue_id = arg_queue;
    return compile(arg_id, &c->message_id, error) && compile(arg_sender, &c->sender, error) &&
           compile(arg_recipient, &c->recipient, error) && compile(arg_source, &c->source, error) &&
           compile(arg_destination, &c->destination, error) && parse_times(c, error);
}

static void criteria_clear(criteria *c)
{
    GRegex **all[] = { &c->message_id, &c->sender, &c->recipient, &c->source, &c->destination };
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        g_clear_pointer(all[i], g_regex_unref);
}

static int search(const criteria *c)
{
    g_autoptr(GError) error = NULL;
    output o = { .host = g_get_host_name() };
    sqlite3 *db = maillog_open(arg_database ? arg_database : MAILLOG_PATH, false, &error);
    if (db)
        (void) trace_search(db, c, on_found, &o, &error);
    sqlite3_close(db);
    if (error) {
        g_printerr("zmmsgtrace: %s\n", error->message);
        return EX_UNAVAILABLE;
    }
    printf("%s%u messages found\n", o.found ? "\n" : "", o.found);
    return o.found ? EX_OK : 1;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    criteria c = { .queue_id = NULL };
    g_autoptr(GOptionContext) context = g_option_context_new("- trace messages through this host");
    g_option_context_add_main_entries(context, options, NULL);
    bool parsed = g_option_context_parse(context, &argc, &argv, &error);
    if (!parsed || argc > 1 || !parse_criteria(&c, &error)) {
        g_printerr("zmmsgtrace: %s; see --help\n", error ? error->message : "unknown argument");
        criteria_clear(&c);
        return EX_USAGE;
    }
    int r = search(&c);
    criteria_clear(&c);
    return r;
}
