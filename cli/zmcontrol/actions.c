/* The commands of zmcontrol. Start goes by the table's order, stop the other way
 * round with zmconfigd first, so that no change is applied to what goes down. */
#include "cli/zmcontrol/zmcontrol.h"

#define JOB_TIMEOUT_MS (180 * 1000)
#define ALL "zimbra.target"

void print_detail(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        if (*lines[i])
            g_print("\t\t%s\n", lines[i]);
}

/* "unit: state" lines as the guide's scripts know them: "unit is not running". */
static void print_stopped_parts(const char *detail)
{
    g_auto(GStrv) lines = g_strsplit(detail, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        char *colon = strstr(lines[i], ": ");
        if (!colon)
            continue;
        *colon = '\0';
        g_print("\t\t%s is not running (%s).\n", lines[i], colon + 2);
    }
}

static bool is_counted(zmcontrol *z, const service_def *service)
{
    const char *list = localconfig_get(z->lc, "zmcontrol_service_status_list");
    if (!list || !*list || *list == '(')
        return service->counted;
    g_auto(GStrv) names = g_strsplit_set(list, " ,", -1);
    return g_strv_contains((const char *const *) names, service->name);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const service_def *const *) a)->name, (*(const service_def *const *) b)->name);
}

int zmcontrol_status(zmcontrol *z)
{
    int status = 0;
    g_print("Host %s\n", z->host);
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(z->services, NULL, NULL);
    g_ptr_array_sort(sorted, by_name);
    for (guint i = 0; i < sorted->len; i++) {
        const service_def *service = sorted->pdata[i];
        g_autoptr(GString) detail = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        bool running = service_is_running(z->bus, service, detail, &error);
        g_print("\t%-20s %10s\n", service->name, running ? "Running" : "Stopped");
        print_stopped_parts(detail->str);
        if (error)
            print_detail(error->message);
        if (!running && is_counted(z, service))
            status = 1;
    }
    return status;
}

static bool start_one(zmcontrol *z, const service_def *service)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) detail = g_string_new(NULL);
    g_print("\tStarting %s...", service->name);
    bool ok = service_unit_do(z->bus, service->unit, SERVICE_START, JOB_TIMEOUT_MS, &error) &&
        service_is_running(z->bus, service, detail, &error);
    g_print(ok ? "Done.\n" : "Failed.\n");
    if (error)
        print_detail(error->message);
    print_stopped_parts(detail->str);
    return ok;
}

int zmcontrol_start(zmcontrol *z)
{
    int status = 0;
    g_autoptr(GError) error = NULL;
    g_print("Host %s\n", z->host);
    disk_warn(z->lc);
    /* Everything starts at once, in systemd's order; then each service is waited for. */
    if (!service_unit_do(z->bus, ALL, SERVICE_START, 0, &error)) {
        print_detail(error->message);
        return 1;
    }
    for (guint i = 0; i < z->services->len; i++)
        if (!start_one(z, z->services->pdata[i]))
            status = 1;
    return status;
}

static bool stop_unit(zmcontrol *z, const char *unit, GError **error)
{
    g_autofree char *state = service_unit_state(z->bus, unit, error);
    if (!state)
        return false;
    return g_str_equal(state, "inactive") || service_unit_do(z->bus, unit, SERVICE_STOP, JOB_TIMEOUT_MS, error);
}

/* PART also belongs to a service that is stopped later. */
static bool needed_later(GPtrArray *stop_order, guint at, const char *part)
{
    for (guint i = at + 1; i < stop_order->len; i++)
        if (g_strv_contains(((const service_def *) stop_order->pdata[i])->parts, part))
            return true;
    return false;
}

static bool stop_one(zmcontrol *z, GPtrArray *stop_order, guint at)
{
    const service_def *service = stop_order->pdata[at];
    g_autoptr(GError) error = NULL;
    g_print("\tStopping %s...", service->name);
    bool ok = stop_unit(z, service->unit, &error);
    for (size_t n = g_strv_length((char **) service->parts); ok && n-- > 0; )
        if (!needed_later(stop_order, at, service->parts[n]))
            ok = stop_unit(z, service->parts[n], &error);
    g_print(ok ? "Done.\n" : "Failed.\n");
    if (error)
        print_detail(error->message);
    return ok;
}

int zmcontrol_stop(zmcontrol *z)
{
    int status = 0;
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = z->services->len; i-- > 0; ) {
        const service_def *service = z->services->pdata[i];
        g_ptr_array_insert(order, service->always ? 0 : -1, (gpointer) service);
    }
    g_print("Host %s\n", z->host);
    for (guint i = 0; i < order->len; i++)
        if (!stop_one(z, order, i))
            status = 1;
    g_autoptr(GError) error = NULL;
    if (!stop_unit(z, ALL, &error)) {
        print_detail(error->message);
        status = 1;
    }
    return status;
}

int zmcontrol_restart(zmcontrol *z)
{
    int status = zmcontrol_stop(z);
    return zmcontrol_start(z) || status;
}
