/* The Date field as Unix time: RFC 5322 §3.3 with the obsolete forms of §4.3
 * (two-digit years, zone names, comments between tokens). A field that is not a
 * date yields 0; callers then use the time of arrival. */
#include "lib/mime/internal.h"

static bool number(scan *s, unsigned min_digits, unsigned max_digits, int *ret, unsigned *ret_digits)
{
    scan_cfws(s, NULL);
    int value = 0;
    unsigned n = 0;
    while (!scan_done(s) && g_ascii_isdigit(*s->p) && n < max_digits) {
        value = value * 10 + (*s->p++ - '0');
        n++;
    }
    *ret = value;
    if (ret_digits)
        *ret_digits = n;
    return n >= min_digits;
}

static size_t word(scan *s, char out[8])
{
    scan_cfws(s, NULL);
    size_t n = 0;
    while (!scan_done(s) && g_ascii_isalpha(*s->p) && n < 7)
        out[n++] = g_ascii_toupper(*s->p++);
    out[n] = 0;
    return n;
}

static bool punctuation(scan *s, char c)
{
    scan_cfws(s, NULL);
    if (!scan_is(s, c))
        return false;
    s->p++;
    return true;
}

static int month(scan *s)
{
    static const char names[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    char w[8];
    if (word(s, w) < 3)
        return -1;
    for (int i = 0; i < 12; i++)
        if (memcmp(names + 3 * i, w, 3) == 0)
            return i;
    return -1;
}

/* Offset east of UTC in seconds; unknown zones count as UTC (RFC 5322 §4.3). */
static int zone(scan *s)
{
    static const struct { const char *name; int hours; } zones[] = {
        { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
        { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
    };
    scan_cfws(s, NULL);
    if (scan_is(s, '+') || scan_is(s, '-')) {
        int sign = *s->p++ == '-' ? -1 : 1, value;
        if (!number(s, 4, 4, &value, NULL) || value % 100 >= 60)
            return 0;
        return sign * (value / 100 * 3600 + value % 100 * 60);
    }
    char w[8];
    word(s, w);
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++)
        if (g_str_equal(w, zones[i].name))
            return zones[i].hours * 3600;
    return 0;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; MON 0-11. */
static int64_t days(int year, int mon, int day)
{
    int y = mon < 2 ? year - 1 : year, m = (mon + 10) % 12;
    int64_t era_days = (int64_t) y * 365 + y / 4 - y / 100 + y / 400;
    return era_days + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static bool clock_time(scan *s, int *ret_seconds)
{
    int hour, minute, second = 0;
    if (!number(s, 1, 2, &hour, NULL) || !punctuation(s, ':') || !number(s, 1, 2, &minute, NULL))
        return false;
    if (punctuation(s, ':') && !number(s, 1, 2, &second, NULL))
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

int64_t mime_date_parse(const char *body, size_t len)
{
    scan s = { body, body + len };
    char w[8];
    if (word(&s, w) > 0)
        (void) punctuation(&s, ',');      /* obsolete forms leave it out */
    int day, mon, year, seconds;
    unsigned digits;
    if (!number(&s, 1, 2, &day, NULL) || (mon = month(&s)) < 0 || !number(&s, 2, 4, &year, &digits) ||
        !clock_time(&s, &seconds) || day < 1 || day > 31)
        return 0;
    if (digits < 4)
        year += digits == 2 && year < 50 ? 2000 : 1900;
    if (year < 1900)
        return 0;
    return days(year, mon, day) * 86400 + seconds - zone(&s);
}
