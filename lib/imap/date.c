/* IMAP's dates (RFC 9051 §9, date and date-time), as Unix time. */
#include "lib/imap/imap.h"

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static bool digits(imap_cursor *c, unsigned min, unsigned max, int *ret)
{
    int v = 0;
    unsigned n = 0;
    for (; n < max && c->p < c->end && g_ascii_isdigit(*c->p); n++)
        v = v * 10 + (*c->p++ - '0');
    *ret = v;
    return n >= min;
}

static bool month(imap_cursor *c, int *ret)
{
    for (int i = 0; i < 12 && c->end - c->p >= 3; i++)
        if (g_ascii_strncasecmp(c->p, months[i], 3) == 0) {
            c->p += 3;
            *ret = i;
            return true;
        }
    return false;
}

static bool day_month_year(imap_cursor *c, struct tm *tm)
{
    if (!digits(c, 1, 2, &tm->tm_mday) || !imap_take(c, '-') || !month(c, &tm->tm_mon) || !imap_take(c, '-') || !digits(c, 4, 4, &tm->tm_year))
        return false;
    tm->tm_year -= 1900;
    return tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

bool imap_date(imap_cursor *c, int64_t *ret)
{
    struct tm tm = { 0 };
    bool quote = imap_take(c, '"');
    if (!day_month_year(c, &tm) || (quote && !imap_take(c, '"')))
        return false;
    *ret = timegm(&tm);
    return true;
}

bool imap_date_time(imap_cursor *c, int64_t *ret)
{
    struct tm tm = { 0 };
    int zone_h, zone_m;
    if (!imap_take(c, '"'))
        return false;
    (void) imap_take(c, ' ');   /* a day below 10 may be padded */
    if (!day_month_year(c, &tm) || !imap_take(c, ' ') || !digits(c, 2, 2, &tm.tm_hour) || !imap_take(c, ':') ||
        !digits(c, 2, 2, &tm.tm_min) || !imap_take(c, ':') || !digits(c, 2, 2, &tm.tm_sec) || !imap_take(c, ' '))
        return false;
    int sign = imap_take(c, '-') ? -1 : imap_take(c, '+') ? 1 : 0;
    if (sign == 0 || !digits(c, 2, 2, &zone_h) || !digits(c, 2, 2, &zone_m) || !imap_take(c, '"'))
        return false;
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60 || zone_m > 59)
        return false;
    *ret = timegm(&tm) - sign * (zone_h * 3600 + zone_m * 60);
    return true;
}

void imap_put_date_time(GString *out, int64_t t)
{
    struct tm tm = { 0 };
    time_t when = (time_t) t;
    gmtime_r(&when, &tm);
    int year = CLAMP(tm.tm_year + 1900, 0, 9999);
    g_string_append_printf(out, "\"%2d-%s-%04d %02d:%02d:%02d +0000\"", tm.tm_mday, months[tm.tm_mon % 12], year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
