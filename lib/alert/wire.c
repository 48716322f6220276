/* The text form of an alert, as it goes to zmalertd and as zmalertd keeps it. */
#include "lib/alert/private.h"

#include <errno.h>
#include <string.h>

static void append(GString *out, const char *name, const char *value)
{
    g_string_append(out, name);
    g_string_append_c(out, '=');
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            g_string_append(out, "\\n");
        else if (*p == '\\')
            g_string_append(out, "\\\\");
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '\n');
}

char *alert_format(const alert *a)
{
    GString *out = g_string_new(NULL);
    g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, a->time_usec);
    append(out, "ID", a->id);
    append(out, "UUID", a->uuid);
    append(out, "TIME", time);
    for (guint i = 0; i < a->names->len; i++)
        append(out, a->names->pdata[i], a->values->pdata[i]);
    return g_string_free(out, FALSE);
}

/* In place; false for an escape that does not exist. */
static bool unescape(char *value)
{
    char *to = value;
    for (char *p = value; *p; p++) {
        if (*p == '\\') {
            p++;
            if (*p != 'n' && *p != '\\')
                return false;
            *to++ = *p == 'n' ? '\n' : '\\';
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return true;
}

static bool valid_uuid(const char *s)
{
    size_t n = strspn(s, "0123456789abcdef-");
    return n >= 16 && n <= 40 && s[n] == '\0';
}

static int take_line(alert *a, unsigned number, const char *name, char *value)
{
    gint64 time;
    if (!unescape(value))
        return -EBADMSG;
    if (number == 1) {
        if (!g_str_equal(name, "UUID") || !valid_uuid(value))
            return -EBADMSG;
        alert_set_uuid(a, value);
        return 0;
    }
    if (number == 2) {
        if (!g_str_equal(name, "TIME") || !g_ascii_string_to_signed(value, 10, 0, G_MAXINT64, &time, NULL))
            return -EBADMSG;
        alert_set_time(a, time);
        return 0;
    }
    if (!g_str_equal(name, "HOST") && alert_get(a, name))
        return -EBADMSG;
    int r = alert_set(a, name, value);
    return r == -EINVAL ? -EBADMSG : r;
}

int alert_parse(const char *text, size_t len, alert **ret)
{
    if (len > ALERT_MAX_BYTES)
        return -E2BIG;
    if (len == 0 || text[len - 1] != '\n' || memchr(text, '\0', len) || !g_utf8_validate(text, (gssize) len, NULL))
        return -EBADMSG;
    g_autofree char *copy = g_strndup(text, len - 1);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", ALERT_MAX_FIELDS + 5);
    if (!g_str_has_prefix(lines[0], "ID=") || !alert_valid_id(lines[0] + 3))
        return -EBADMSG;
    g_autoptr(alert) a = alert_new(lines[0] + 3);
    unsigned n = 1;
    for (; lines[n]; n++) {
        char *value = strchr(lines[n], '=');
        if (!value)
            return -EBADMSG;
        *value++ = '\0';
        int r = take_line(a, n, lines[n], value);
        if (r < 0)
            return r;
    }
    if (n < 3)
        return -EBADMSG;
    *ret = g_steal_pointer(&a);
    return 0;
}
