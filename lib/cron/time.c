/* The time of an entry: five fields or an @name, and systemd's words for it. */
#include "lib/cron/cron.h"

#include <stdint.h>
#include <string.h>

G_DEFINE_QUARK(mailstead-cron-error, cron_error)

typedef struct {
    const char *name;
    unsigned min, max;
    const char *const *names;       /* in order, from MIN on; NULL none */
    const char *allowed;
} field_def;

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const field_def fields[FIELDS] = {
    { "minute", 0, 59, NULL, "0-59" },
    { "hour", 0, 23, NULL, "0-23" },
    { "day of month", 1, 31, NULL, "1-31" },
    { "month", 1, 12, month_names, "1-12 or jan-dec" },
    { "day of week", 0, 7, weekday_names, "0-7 (0 and 7 are Sunday) or sun-sat" },
};

static const struct { const char *name, *fields; cron_kind kind; } nicknames[] = {
    { "@reboot", NULL, CRON_REBOOT },
    { "@never", NULL, CRON_NEVER },
    { "@yearly", "0 0 1 1 *", CRON_CALENDAR },
    { "@annually", "0 0 1 1 *", CRON_CALENDAR },
    { "@monthly", "0 0 1 * *", CRON_CALENDAR },
    { "@weekly", "0 0 * * 0", CRON_CALENDAR },
    { "@daily", "0 0 * * *", CRON_CALENDAR },
    { "@midnight", "0 0 * * *", CRON_CALENDAR },
    { "@hourly", "0 * * * *", CRON_CALENDAR },
};

static bool field_wrong(const field_def *f, const char *item, const char *why, GError **error)
{
    g_autofree char *shown = g_strndup(item, 40);
    g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX, "%s: \"%s\" %s; allowed are %s, *, lists a,b, ranges a-b and "
                "steps */n, a-b/n", f->name, shown, why, f->allowed);
    return false;
}

/* A number or a name at *P, which moves on; -1 when there is none. */
static int take_value(const field_def *f, const char **p)
{
    unsigned n = 0;
    size_t digits = strspn(*p, "0123456789");
    for (size_t i = 0; i < digits; i++)
        n = MIN(n * 10 + (unsigned) ((*p)[i] - '0'), 1000);
    if (digits > 0) {
        *p += digits;
        return (int) n;
    }
    for (unsigned i = 0; f->names && f->names[i]; i++)
        if (g_ascii_strncasecmp(*p, f->names[i], 3) == 0 && !g_ascii_isalnum((*p)[3])) {
            *p += 3;
            return (int) (f->min + i);
        }
    return -1;
}

/* "*", "a" or "a-b", then "/n". */
static bool take_item(const field_def *f, const char *item, guint64 *bits, GError **error)
{
    const char *p = item;
    bool range = *p == '*';
    int low = (int) f->min, high = (int) f->max, step = 1;
    if (range) {
        p++;
    } else {
        low = high = take_value(f, &p);
        if (low >= 0 && *p == '-') {
            p++;
            range = true;
            high = take_value(f, &p);
        }
    }
    if (low < 0 || high < 0 || (*p && *p != '/'))
        return field_wrong(f, item, "is not understood", error);
    if (low > (int) f->max || high > (int) f->max || low < (int) f->min || high < (int) f->min)
        return field_wrong(f, item, "is out of range", error);
    if (f == &fields[WEEKDAY] && high == 0 && low > 0)
        high = 7;       /* sat-sun */
    if (low > high)
        return field_wrong(f, item, "runs backwards (write two ranges)", error);
    if (*p == '/') {
        p++;
        if (!range)
            return field_wrong(f, item, "has a step without a range (write a-b/n)", error);
        guint64 n;
        if (!g_ascii_string_to_unsigned(p, 10, 1, 999, &n, NULL))
            return field_wrong(f, item, "has no good step (a number from 1 on)", error);
        step = (int) n;
    }
    for (int n = low; n <= high; n += step)
        *bits |= UINT64_C(1) << n;
    return true;
}

static bool parse_field(const field_def *f, const char *text, guint64 *ret, GError **error)
{
    guint64 bits = 0;
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (size_t i = 0; items[i]; i++)
        if (!take_item(f, items[i], &bits, error))
            return false;
    *ret = bits;
    return true;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static bool parse_fields(const char *text, const char **ret_rest, cron_time *ret, GError **error)
{
    guint64 bits[FIELDS];
    bool star[FIELDS];
    const char *p = skip_blanks(text);
    for (size_t i = 0; i < FIELDS; i++) {
        size_t len = strcspn(p, " \t");
        if (len == 0) {
            g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX, "%s: is missing; an entry is minute, hour, day of month, "
                        "month, day of week and a command, with blanks between", fields[i].name);
            return false;
        }
        g_autofree char *word = g_strndup(p, len);
        if (!parse_field(&fields[i], word, &bits[i], error))
            return false;
        star[i] = *word == '*';
        p = skip_blanks(p + len);
    }
    if (bits[WEEKDAY] & (1u << 7))
        bits[WEEKDAY] |= 1;
    *ret = (cron_time) {
        .kind = CRON_CALENDAR, .minutes = bits[MINUTE], .hours = (guint32) bits[HOUR], .days = (guint32) bits[DAY],
        .months = (guint32) bits[MONTH], .weekdays = (guint32) bits[WEEKDAY] & 0x7f,
        .any_day = star[DAY], .any_weekday = star[WEEKDAY],
    };
    *ret_rest = p;
    return true;
}

bool cron_time_parse(const char *text, const char **ret_rest, cron_time *ret, GError **error)
{
    const char *p = skip_blanks(text);
    if (*p != '@')
        return parse_fields(p, ret_rest, ret, error);
    size_t len = strcspn(p, " \t");
    for (size_t i = 0; i < G_N_ELEMENTS(nicknames); i++) {
        const char *none;
        if (strlen(nicknames[i].name) != len || g_ascii_strncasecmp(p, nicknames[i].name, len) != 0)
            continue;
        if (nicknames[i].kind == CRON_CALENDAR && !parse_fields(nicknames[i].fields, &none, ret, error))
            return false;
        if (nicknames[i].kind != CRON_CALENDAR)
            *ret = (cron_time) { .kind = nicknames[i].kind };
        *ret_rest = skip_blanks(p + len);
        return true;
    }
    g_autofree char *shown = g_strndup(p, MIN(len, 40));
    g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX, "\"%s\" is no time; allowed are @hourly, @daily, @midnight, @weekly, "
                "@monthly, @yearly, @annually, @reboot and @never", shown);
    return false;
}

/* "*", "02..57/5" or "00..05,30": BITS as a component of a calendar event. Never
 * "02/5": at the end of a month systemd (252) lets a step without an end run over
 * and loses the first values of the next one. */
static char *component(guint64 bits, unsigned min, unsigned max)
{
    unsigned all[64], n = 0;
    for (unsigned i = min; i <= max; i++)
        if (bits & (UINT64_C(1) << i))
            all[n++] = i;
    if (n == max - min + 1)
        return g_strdup("*");
    unsigned step = n > 2 ? all[1] - all[0] : 0;
    for (unsigned i = 1; step && i < n; i++)
        if (all[i] - all[i - 1] != step)
            step = 0;
    if (step > 1 && all[n - 1] + step > max)
        return g_strdup_printf("%02u..%02u/%u", all[0], all[n - 1], step);
    GString *s = g_string_new(NULL);
    for (unsigned i = 0, end; i < n; i = end + 1) {
        for (end = i; end + 1 < n && all[end + 1] == all[end] + 1; end++)
            ;
        if (end < i + 2)
            end = i;
        g_string_append_printf(s, end > i ? "%s%02u..%02u" : "%s%02u", i > 0 ? "," : "", all[i], all[end]);
    }
    return g_string_free(s, FALSE);
}

static char *weekday_list(guint32 bits)
{
    static const char *const names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    GString *s = g_string_new(NULL);
    if (bits == 0x7f)
        return g_string_free(s, FALSE);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (bits & (1u << i))
            g_string_append_printf(s, "%s%s", s->len ? "," : "", names[i]);
    g_string_append_c(s, ' ');
    return g_string_free(s, FALSE);
}

static char *calendar(const cron_time *t, guint32 days, guint32 weekdays, const char *zone)
{
    g_autofree char *hours = component(t->hours, 0, 23), *minutes = component(t->minutes, 0, 59);
    g_autofree char *months = component(t->months, 1, 12), *dates = component(days, 1, 31);
    g_autofree char *names = weekday_list(weekdays);
    return g_strdup_printf("%s*-%s-%s %s:%s:00%s%s", names, months, dates, hours, minutes, zone ? " " : "", zone ? zone : "");
}

char **cron_time_calendars(const cron_time *t, const char *zone)
{
    static const guint32 every_day = 0xfffffffe, every_weekday = 0x7f;
    char **list = g_new0(char *, 3);
    if (t->kind != CRON_CALENDAR)
        return list;
    if (t->any_day || t->any_weekday) {
        list[0] = calendar(t, t->days, t->weekdays, zone);
    } else {
        list[0] = calendar(t, every_day, t->weekdays, zone);
        list[1] = calendar(t, t->days, every_weekday, zone);
    }
    return list;
}
