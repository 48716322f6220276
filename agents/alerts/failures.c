/* See failures.h. An attack is one condition from the failure that reaches the
 * threshold until fewer than half as many are in the window. Its key is the
 * condition of the catalogue, so a restart goes on where it was. More than
 * CONDITIONS_EACH attacks of a kind at once are told by the total only. */
#include "agents/alerts/failures.h"

#include <string.h>
#include "agents/alerts/reader.h"
#include "agents/alerts/windows.h"

enum { SWEEP_S = 5, CONDITIONS_EACH = 200, BACK_S = 300 };

static const struct { const char *id, *over; } kinds[WINDOW_KINDS] = {
    [WINDOW_IP_ACCOUNT] = { "abuse-ip-account", "abuse-ip-account-over" },
    [WINDOW_ACCOUNT] = { "abuse-account", "abuse-account-over" },
    [WINDOW_IP] = { "abuse-ip", "abuse-ip-over" },
    [WINDOW_TOTAL] = { "abuse-total", "abuse-total-over" },
};

struct failures {
    manager *m;
    windows *windows;
    reader *reader;
    sd_event_source *sweep;
};

/* As the catalogue makes it. */
static char *condition_of(window_kind kind, const char *key)
{
    return *key ? g_strdup_printf("%s %s", kinds[kind].id, key) : g_strdup(kinds[kind].id);
}

static bool is_room(failures *f, window_kind kind)
{
    g_autofree char *prefix = g_strconcat(kinds[kind].id, " ", NULL);
    return kind == WINDOW_TOTAL || conditions_count(manager_conditions(f->m), prefix) < CONDITIONS_EACH;
}

static void check(failures *f, window_kind kind, const char *ip, const char *account, const char *protocol)
{
    g_autofree char *key = windows_key(kind, ip, account);
    const alerts_config *config = manager_config(f->m);
    guint count = windows_count(f->windows, kind, key);
    g_autofree char *condition = condition_of(kind, key);
    if (count < config->thresholds[kind] || manager_level(f->m, condition) > 0 || !is_room(f, kind))
        return;
    g_autofree char *n = g_strdup_printf("%u", count), *seconds = g_strdup_printf("%u", config->window_s);
    g_autofree char *threshold = g_strdup_printf("%u", config->thresholds[kind]);
    manager_raise(f->m, kinds[kind].id, "COUNT", n, "THRESHOLD", threshold, "SECONDS", seconds, "PROTOCOL", protocol,
                  "CLIENT_IP", ip, "ACCOUNT", account, NULL);
}

static void on_entry(sd_journal *journal, gint64 time_usec, void *data)
{
    failures *f = data;
    g_autofree char *ip = reader_field(journal, "CLIENT_IP", 64);
    g_autofree char *account = reader_field(journal, "ACCOUNT", WINDOWS_MAX_KEY);
    g_autofree char *protocol = reader_field(journal, "PROTOCOL", 40);
    if (!ip || !account)
        return;
    windows_add(f->windows, ip, account, time_usec);
    for (int k = 0; k < WINDOW_KINDS; k++)
        check(f, (window_kind) k, ip, account, protocol ? protocol : "");
}

/* KEY is what a condition of KIND has after the id: address, account, or both. */
static void raise_over(failures *f, window_kind kind, const char *key)
{
    g_auto(GStrv) both = g_strsplit(key, " ", 2);
    bool pair = kind == WINDOW_IP_ACCOUNT && both[0] && both[1];
    manager_raise(f->m, kinds[kind].over, "CLIENT_IP", pair ? both[0] : kind == WINDOW_IP ? key : "",
                  "ACCOUNT", pair ? both[1] : kind == WINDOW_ACCOUNT ? key : "", NULL);
}

static void sweep_kind(failures *f, window_kind kind)
{
    guint limit = MAX(manager_config(f->m)->thresholds[kind] / 2, 1);
    g_autofree char *prefix = kind == WINDOW_TOTAL ? g_strdup(kinds[kind].id) : g_strconcat(kinds[kind].id, " ", NULL);
    g_auto(GStrv) on = conditions_keys(manager_conditions(f->m), prefix);
    for (size_t i = 0; on[i]; i++) {
        const char *key = on[i] + strlen(prefix);
        if (windows_count(f->windows, kind, key) < limit)
            raise_over(f, kind, key);
    }
}

static int on_sweep(sd_event_source *s, uint64_t usec, void *data)
{
    failures *f = data;
    windows_advance(f->windows, g_get_real_time());
    for (int k = 0; k < WINDOW_KINDS; k++)
        sweep_kind(f, (window_kind) k);
    int r = sd_event_source_set_time_relative(s, SWEEP_S * UINT64_C(1000000));
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

failures *failures_new(manager *m)
{
    failures *f = g_new0(failures, 1);
    f->m = m;
    f->windows = windows_new(60 * G_USEC_PER_SEC);
    return f;
}

void failures_configure(failures *f)
{
    windows_set_length(f->windows, manager_config(f->m)->window_s * G_USEC_PER_SEC);
}

void failures_start(failures *f)
{
    static const char *const matches[] = { "AUDIT=login", "RESULT=denied", "_SYSTEMD_UNIT=zimbra-auth.service", NULL };
    f->reader = reader_new(f->m, "failures", matches, BACK_S, on_entry, f);
    int r = sd_event_add_time_relative(manager_event(f->m), &f->sweep, CLOCK_MONOTONIC, SWEEP_S * UINT64_C(1000000), 0, on_sweep, f);
    g_assert(r >= 0);
}

void failures_free(failures *f)
{
    if (!f)
        return;
    reader_free(f->reader);
    sd_event_source_disable_unref(f->sweep);
    windows_free(f->windows);
    g_free(f);
}
