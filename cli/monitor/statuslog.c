/* zmstatuslog: writes the state of each service of this host to the journal, as
 * zmcontrol status gives it, one record a service (Guide appendix C, every two
 * minutes). --changes reads them back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "cli/monitor/record.h"
#include "lib/localconfig/localconfig.h"
#include "lib/service/service.h"

#define STATUS_ID "7b0a8e52c9334fd5ae1e09d3f7c2b641"    /* MESSAGE_ID of the records */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_WRONG = 2, TIME_LIMIT_S = 60, MAX_HOURS = 24 * 366 };

static char *host_name(void)
{
    g_autoptr(localconfig) lc = localconfig_load(NULL, NULL);   /* unreadable: the kernel's name */
    const char *name = lc ? localconfig_get(lc, "zimbra_server_hostname") : NULL;
    return g_strdup(name && *name && !g_str_equal(name, "localhost") ? name : g_get_host_name());
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const service_def *const *) a)->name, (*(const service_def *const *) b)->name);
}

static GPtrArray *services_here(char **enabled)
{
    size_t n;
    const service_def *table = service_table(&n);
    GPtrArray *list = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        if (table[i].always || g_strv_contains((const char *const *) enabled, table[i].name))
            g_ptr_array_add(list, (gpointer) &table[i]);
    g_ptr_array_sort(list, by_name);
    return list;
}

static void record(bool print, const char *host, const char *service, const char *state)
{
    g_autofree char *text = g_strdup_printf("STATUS: %s: %s: %s", host, service, state);
    const char *const fields[] = { "MESSAGE_ID", STATUS_ID, "STATUS_HOST", host, "STATUS_SERVICE", service, "STATUS_STATE", state, NULL };
    monitor_record(print, MONITOR_STATISTICS, text, fields);
}

static int log_states(bool print)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) enabled = service_get_enabled(&error);
    g_autoptr(service_bus) bus = enabled ? service_bus_open(&error) : NULL;
    if (!bus) {
        fprintf(stderr, "zmstatuslog: %s\n", error->message);
        return EXIT_FAILED;
    }
    g_autofree char *host = host_name();
    g_autoptr(GPtrArray) services = services_here(enabled);
    for (guint i = 0; i < services->len; i++) {
        const service_def *s = services->pdata[i];
        bool running = service_is_running(bus, s, NULL, &error);
        if (error) {
            fprintf(stderr, "zmstatuslog: %s\n", error->message);
            return EXIT_FAILED;
        }
        record(print, host, s->name, running ? "Running" : "Stopped");
    }
    return EXIT_OK;
}

static char *field(sd_journal *journal, const char *name)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;
    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len < skip)
        return NULL;
    return g_strndup((const char *) data + skip, MIN(len - skip, 256));
}

static void print_change(sd_journal *journal, GHashTable *states)
{
    g_autofree char *host = field(journal, "STATUS_HOST"), *service = field(journal, "STATUS_SERVICE");
    g_autofree char *state = field(journal, "STATUS_STATE");
    uint64_t usec;
    if (!host || !service || !state || sd_journal_get_realtime_usec(journal, &usec) < 0)
        return;
    g_autofree char *key = g_strdup_printf("%s %s", host, service);
    if (g_strcmp0(g_hash_table_lookup(states, key), state) == 0)
        return;
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local((gint64) (usec / G_USEC_PER_SEC));
    g_autofree char *when = g_date_time_format(t, "%Y-%m-%d %H:%M:%S");
    printf("%s  %s  %-12s %s\n", when, host, service, state);
    g_hash_table_insert(states, g_steal_pointer(&key), g_steal_pointer(&state));
}

static int print_changes(const char *hours_text)
{
    guint64 hours;
    if (!g_ascii_string_to_unsigned(hours_text, 10, 1, MAX_HOURS, &hours, NULL)) {
        fprintf(stderr, "zmstatuslog: --changes=%s: a number of hours from 1 to %d is wanted\n", hours_text, MAX_HOURS);
        return EXIT_WRONG;
    }
    sd_journal *journal = NULL;
    int r = sd_journal_open(&journal, SD_JOURNAL_SYSTEM);
    if (r >= 0)
        r = sd_journal_add_match(journal, "MESSAGE_ID=" STATUS_ID, 0);
    if (r >= 0)
        r = sd_journal_seek_realtime_usec(journal, (uint64_t) g_get_real_time() - hours * 3600 * G_USEC_PER_SEC);
    g_autoptr(GHashTable) states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (r >= 0 && (r = sd_journal_next(journal)) > 0)
        print_change(journal, states);
    sd_journal_close(journal);
    if (r >= 0 && g_hash_table_size(states) > 0)
        return EXIT_OK;
    fprintf(stderr, "zmstatuslog: %s (root and group systemd-journal read the journal)\n",
            r < 0 ? g_strerror(-r) : "no status was logged in that time");
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static gboolean print;
    static char *changes;
    static const GOptionEntry options[] = {
        { "print", 'n', 0, G_OPTION_ARG_NONE, &print, "Print the records instead of logging them", NULL },
        { "changes", 'c', 0, G_OPTION_ARG_STRING, &changes, "Print the changes of state of the last HOURS hours", "HOURS" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- log the state of this host's services");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "zmstatuslog: %s; see --help\n", error ? error->message : "takes no argument");
        return EXIT_WRONG;
    }
    (void) alarm(TIME_LIMIT_S);     /* the next run is due soon: a bus that hangs ends this one */
    return changes ? print_changes(changes) : log_states(print);
}
