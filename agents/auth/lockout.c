/* The lockout policy: reads counters from an account's entry and says what to
 * write; writing is decide.c's. */
#include "agents/auth/lockout.h"

#include <string.h>

#include "lib/schema/schema.h"

#define ENABLED "zimbraPasswordLockoutEnabled"
#define DURATION "zimbraPasswordLockoutDuration"
#define MAX_FAILURES "zimbraPasswordLockoutMaxFailures"
#define FAILURE_LIFETIME "zimbraPasswordLockoutFailureLifetime"
#define LOCKED_TIME "zimbraPasswordLockoutLockedTime"
#define FAILURE_TIME "zimbraPasswordLockoutFailureTime"
#define STATUS "zimbraAccountStatus"

gint64 lockout_parse_time(const char *text)
{
    if (!text || strnlen(text, 30) < 15 || strspn(text, "0123456789") != 14)
        return -1;
    g_autofree char *head = g_strndup(text, 14);
    guint64 v = 0;
    if (!g_ascii_string_to_unsigned(head, 10, 0, G_MAXINT64, &v, NULL))
        return -1;
    g_autoptr(GDateTime) t = g_date_time_new_utc((int) (v / 10000000000), (int) (v / 100000000 % 100),
        (int) (v / 1000000 % 100), (int) (v / 10000 % 100), (int) (v / 100 % 100), (double) (v % 100));
    const char *rest = text + 14;
    gint64 ms = 0;
    if (*rest == '.')
        for (gint64 unit = 100, digits = 0; g_ascii_isdigit(*++rest) && digits < 9; digits++, unit /= 10)
            ms += unit * (*rest - '0');
    return t && strcmp(rest, "Z") == 0 ? g_date_time_to_unix(t) * 1000 + ms : -1;
}

char *lockout_format_time(gint64 ms)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *seconds = g_date_time_format(t, "%Y%m%d%H%M%S");
    return g_strdup_printf("%s.%03dZ", seconds, (int) (ms % 1000));
}

static gint64 duration_ms(const entry *account, const char *attr, gint64 fallback)
{
    const char *text = entry_get(account, attr);
    gint64 ms = text ? schema_duration_ms(text) : -1;
    return ms >= 0 ? ms : fallback;
}

bool lockout_is_locked(const entry *account, gint64 now_ms)
{
    const char *status = entry_get(account, STATUS);
    if (!status || g_ascii_strcasecmp(status, "lockout") != 0)
        return false;
    gint64 since = lockout_parse_time(entry_get(account, LOCKED_TIME));
    gint64 duration = duration_ms(account, DURATION, 3600 * 1000);
    /* Duration 0: until an administrator changes the status. */
    return since < 0 || duration == 0 || since + duration > now_ms;
}

static void change(GArray *changes, const char *attr, char *value)
{
    attr_change c = { .attr = g_strdup(attr), .value = value };
    g_array_append_val(changes, c);
}

GArray *lockout_failure(const entry *account, gint64 now_ms, bool *ret_locks)
{
    gint64 max = entry_get_int(account, MAX_FAILURES, 10);
    bool enabled = entry_get_bool(account, ENABLED, false) && max > 0;
    *ret_locks = false;
    if (!enabled)
        return NULL;
    gint64 lifetime = duration_ms(account, FAILURE_LIFETIME, 3600 * 1000);
    const char *const *times = entry_get_all_own(account, FAILURE_TIME);
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(attr_change));
    gint64 counted = 1;
    for (size_t i = 0; times[i]; i++) {
        gint64 at = lockout_parse_time(times[i]);
        /* Lifetime 0: a failure counts until the next right password. */
        if (at >= 0 && (lifetime == 0 || at + lifetime > now_ms))
            counted++;
        else
            change(changes, "-" FAILURE_TIME, g_strdup(times[i]));
    }
    if (counted < max) {
        change(changes, "+" FAILURE_TIME, lockout_format_time(now_ms));
        return changes;
    }
    change(changes, "+" FAILURE_TIME, lockout_format_time(now_ms));
    change(changes, LOCKED_TIME, lockout_format_time(now_ms));
    change(changes, STATUS, g_strdup("lockout"));
    *ret_locks = true;
    return changes;
}

GArray *lockout_success(const entry *account)
{
    const char *status = entry_get_own(account, STATUS);
    bool was_locked = status && g_ascii_strcasecmp(status, "lockout") == 0;
    bool counted = entry_get_all_own(account, FAILURE_TIME)[0] != NULL;
    if (!was_locked && !counted)
        return NULL;
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(attr_change));
    if (counted)
        change(changes, FAILURE_TIME, g_strdup(""));
    if (entry_get_own(account, LOCKED_TIME))
        change(changes, LOCKED_TIME, g_strdup(""));
    if (was_locked)
        change(changes, STATUS, g_strdup("active"));
    return changes;
}

void lockout_changes_free(GArray *changes)
{
    if (!changes)
        return;
    for (guint i = 0; i < changes->len; i++) {
        g_free(g_array_index(changes, attr_change, i).attr);
        g_free(g_array_index(changes, attr_change, i).value);
    }
    g_array_unref(changes);
}
