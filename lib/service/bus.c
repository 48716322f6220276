/* Jobs on units over sd-bus. One job at a time is waited for: its JobRemoved
 * signal is matched by object path, so that jobs of others do not confuse it.
 * The manager sends the signal only after Subscribe, which service_bus_open()
 * calls before any job. */
#include "lib/service/bus.h"

#include <errno.h>
#include <systemd/sd-journal.h>

static const struct { const char *method, *verb; } actions[] = {
    [SERVICE_START] = { "StartUnit", "start" },
    [SERVICE_STOP] = { "StopUnit", "stop" },
    [SERVICE_RESTART] = { "RestartUnit", "restart" },
    [SERVICE_RELOAD] = { "ReloadUnit", "reload" },
    [SERVICE_RELOAD_OR_RESTART] = { "ReloadOrRestartUnit", "reload or restart" },
};

/* Words for the results of job.c that an administrator may meet. */
static const struct { const char *result, *words; } results[] = {
    { "canceled", "another job took its place" },
    { "timeout", "it did not get there in time" },
    { "failed", "it failed" },
    { "dependency", "a unit it needs failed" },
    { "assert", "an assertion of the unit does not hold" },
    { "unsupported", "the unit does not support this" },
    { "skipped", "the unit's state does not allow this" },
};

bool bus_fail(GError **error, const char *what, const char *unit, const sd_bus_error *bus_error, int r)
{
    const char *words = bus_error && bus_error->message ? bus_error->message : g_strerror(-r);
    bool denied = bus_error && (sd_bus_error_has_name(bus_error, SD_BUS_ERROR_ACCESS_DENIED) ||
        sd_bus_error_has_name(bus_error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED));
    g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_BUS, "%s: cannot %s: %s%s", unit, what, words,
                denied ? " (run this as root or zimbra)" : "");
    return false;
}

static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
    service_bus *bus = data;
    const char *path, *result;
    if (sd_bus_message_read(m, "uoss", NULL, &path, NULL, &result) < 0)
        return 0;
    if (bus->job_path && g_str_equal(path, bus->job_path) && !bus->job_result)
        bus->job_result = g_strdup(result);
    return 0;
}

service_bus *service_bus_open(GError **error)
{
    g_autoptr(service_bus) bus = g_new0(service_bus, 1);
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = sd_bus_open_system(&bus->bus);
    if (r >= 0)
        r = sd_bus_match_signal(bus->bus, &bus->removed_slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "JobRemoved", on_job_removed, bus);
    if (r >= 0)
        r = sd_bus_call_method(bus->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", &e, NULL, NULL);
    if (r < 0)
        bus_fail(error, "reach it over D-Bus", "systemd", &e, r);
    sd_bus_error_free(&e);
    return r < 0 ? NULL : g_steal_pointer(&bus);
}

void service_bus_free(service_bus *bus)
{
    if (!bus)
        return;
    sd_bus_slot_unref(bus->removed_slot);
    sd_bus_flush_close_unref(bus->bus);
    g_free(bus->job_path);
    g_free(bus->job_result);
    g_free(bus);
}

/* Result of the job, borrowed; NULL after TIMEOUT_MS or when the bus broke (*RET_R). */
static const char *wait_job(service_bus *bus, int timeout_ms, int *ret_r)
{
    gint64 end = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
    *ret_r = 0;
    while (!bus->job_result) {
        int r = sd_bus_process(bus->bus, NULL);
        if (r > 0)
            continue;
        gint64 left = end - g_get_monotonic_time();
        if (r == 0 && left > 0)
            r = sd_bus_wait(bus->bus, (uint64_t) left);
        if (r < 0 && r != -EINTR) {
            *ret_r = r;
            return NULL;
        }
        if (left <= 0 && !bus->job_result)
            return NULL;
    }
    return bus->job_result;
}

/* The unit's newest journal line, NULL when there is none or it is not ours to read. */
static char *last_line(const char *unit)
{
    sd_journal *journal = NULL;
    char *line = NULL;
    g_autofree char *match = g_strdup_printf("_SYSTEMD_UNIT=%s", unit);
    if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
        return NULL;
    const void *data;
    size_t len;
    if (sd_journal_add_match(journal, match, 0) >= 0 && sd_journal_seek_tail(journal) >= 0 &&
        sd_journal_previous(journal) > 0 && sd_journal_get_data(journal, "MESSAGE", &data, &len) >= 0 &&
        len > strlen("MESSAGE="))
        line = g_strndup((const char *) data + strlen("MESSAGE="), MIN(len - strlen("MESSAGE="), 400));
    sd_journal_close(journal);
    return line;
}

static bool job_failed(service_bus *bus, const char *unit, const char *verb, const char *result, GError **error)
{
    const char *words = result;
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++)
        if (g_str_equal(results[i].result, result))
            words = results[i].words;
    g_autofree char *unit_result = g_str_has_suffix(unit, ".service")
        ? unit_property(bus, unit, SYSTEMD_SERVICE, "Result", NULL) : NULL;
    g_autofree char *line = last_line(unit);
    g_set_error(error, SERVICE_ERROR, g_str_equal(result, "canceled") ? SERVICE_ERROR_CANCELED : SERVICE_ERROR_JOB, "%s: cannot %s: %s%s%s%s%s%s", unit, verb, words,
                unit_result ? " (result " : "", unit_result ? unit_result : "", unit_result ? ")" : "",
                line ? "; its last line: " : "", line ? line : "");
    return false;
}

static bool queue_job(service_bus *bus, const char *unit, service_action action, GError **error)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path;
    g_clear_pointer(&bus->job_path, g_free);
    g_clear_pointer(&bus->job_result, g_free);
    int r = sd_bus_call_method(bus->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, actions[action].method,
                               &e, &reply, "ss", unit, "replace");
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        bus_fail(error, actions[action].verb, unit, &e, r);
    else
        bus->job_path = g_strdup(path);
    sd_bus_error_free(&e);
    sd_bus_message_unref(reply);
    return r >= 0;
}

bool service_unit_do(service_bus *bus, const char *unit, service_action action, int timeout_ms, GError **error)
{
    if (!queue_job(bus, unit, action, error))
        return false;
    if (timeout_ms == 0)
        return true;
    int r;
    const char *result = wait_job(bus, timeout_ms, &r);
    if (r < 0)
        return bus_fail(error, actions[action].verb, unit, NULL, r);
    if (!result) {
        g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_TIMEOUT, "%s: cannot %s: no result after %d s; see "
                    "'systemctl list-jobs' and 'journalctl -u %s'", unit, actions[action].verb, timeout_ms / 1000, unit);
        return false;
    }
    return g_str_equal(result, "done") || job_failed(bus, unit, actions[action].verb, result, error);
}
