/* zmdailyreport: what happened to mail since the last report, on standard output
 * or by mail to the administrator. See zmdailyreport(8). */
#include <glib.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/zmdailyreport/zmdailyreport.h"

enum { MAX_UNSENT = 60 };

static gboolean arg_mail, arg_print;
static char *arg_day, *arg_config, *arg_database, *arg_to;
static const GOptionEntry options[] = {
    { "mail", 'm', 0, G_OPTION_ARG_NONE, &arg_mail, "Mail it to the administrator (smtp_destination); the next report begins where this ends", NULL },
    { "print", 'p', 0, G_OPTION_ARG_NONE, &arg_print, "Print it (the default)", NULL },
    { "day", 'd', 0, G_OPTION_ARG_STRING, &arg_day, "Of one day instead of since the last report", "YYYY-MM-DD|today|yesterday" },
    { "to", 0, 0, G_OPTION_ARG_STRING, &arg_to, "Mail it to this address instead", "ADDRESS" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " MAILLOG_CONFIG ")", "PATH" },
    { "database", 0, 0, G_OPTION_ARG_FILENAME, &arg_database, "Default " MAILLOG_PATH, "PATH" },
    { NULL },
};

static int failed(int code, const GError *error)
{
    g_printerr("zmdailyreport: %s\n", error->message);
    return code;
}

static bool parse_arguments(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- report on mail activity");
    g_option_context_add_main_entries(context, options, NULL);
    bool parsed = g_option_context_parse(context, &argc, &argv, &error);
    if (parsed && argc == 1 && !(arg_to && !arg_mail) && !(arg_mail && arg_print))
        return true;
    g_printerr("zmdailyreport: %s; see --help\n", error ? error->message : argc > 1 ? "unknown argument" :
               arg_to ? "--to needs --mail" : "either --mail or --print");
    return false;
}

static bool mail_range(sqlite3 *db, const settings *s, const range *r, GError **error)
{
    g_autofree char *text = report_text(db, r, s, error);
    if (!text)
        return false;
    g_autofree char *message = mail_message(s, r, text);
    return mail_send(s, message, error);
}

/* The reports that are due: older ones whose mail failed first. */
static bool mail_due(sqlite3 *db, const settings *s, GError **error)
{
    bool more = true;
    range r;
    for (int i = 0; more && i < MAX_UNSENT; i++) {
        bool old;
        if (!range_unsent(db, &old, error) || !range_take(db, &r, error) || !mail_range(db, s, &r, error) ||
            !range_set_sent(db, &r, error))
            return false;
        more = old;         /* after the old ones the one of today */
    }
    return true;
}

static bool print_range(sqlite3 *db, const settings *s, const range *r, GError **error)
{
    g_autofree char *text = report_text(db, r, s, error);
    if (text)
        fputs(text, stdout);
    return text != NULL;
}

/* It goes into SMTP commands and header lines. */
static bool is_address(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p <= ' ' || *p == '<' || *p == '>' || *p == 0x7f)
            return false;
    return *text != '\0';
}

static int run(sqlite3 *db, settings *s)
{
    g_autoptr(GError) error = NULL;
    range r;
    bool done;
    if (arg_mail && !s->destination) {
        g_printerr("zmdailyreport: nobody is named to mail to: zmlocalconfig -e smtp_destination=ADDRESS\n");
        return EX_CONFIG;
    }
    if (arg_mail && (!is_address(s->destination) || !is_address(s->source))) {
        g_printerr("zmdailyreport: cannot mail from %s to %s: not an address; see zmlocalconfig smtp_source smtp_destination\n",
                   s->source, s->destination);
        return EX_CONFIG;
    }
    if (arg_day && !range_of_day(db, arg_day, &r, &error))
        return failed(EX_USAGE, error);
    if (arg_mail)
        done = arg_day ? mail_range(db, s, &r, &error) : mail_due(db, s, &error);
    else
        done = (arg_day || range_since_last(db, &r, &error)) && print_range(db, s, &r, &error);
    return done ? EX_OK : failed(arg_mail ? EX_TEMPFAIL : EX_UNAVAILABLE, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!parse_arguments(argc, argv))
        return EX_USAGE;
    g_autoptr(settings) s = settings_load(arg_config ? arg_config : MAILLOG_CONFIG);
    if (arg_to) {
        g_free(s->destination);
        s->destination = g_strdup(arg_to);
    }
    sqlite3 *db = maillog_open(arg_database ? arg_database : MAILLOG_PATH, false, &error);
    if (!db)
        return failed(EX_UNAVAILABLE, error);
    int r = run(db, s);
    sqlite3_close(db);
    return r;
}
