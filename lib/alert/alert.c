/* One alert: its fields, and the texts the catalogue makes of them. */
#include "lib/alert/private.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

/* What id, uuid and time take on the wire, and then some. */
#define HEAD_BYTES 256

static const char *const severities[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };

bool alert_valid_id(const char *id)
{
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n <= ALERT_MAX_NAME && id[n] == '\0';
}

bool alert_valid_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n > 0 && n <= ALERT_MAX_NAME && n == strlen(name) && g_ascii_isupper(name[0]);
}

alert *alert_new(const char *id)
{
    g_assert(alert_valid_id(id));
    alert *a = g_new0(alert, 1);
    a->refs = 1;
    a->id = g_strdup(id);
    a->uuid = g_uuid_string_random();
    a->time_usec = g_get_real_time();
    a->def = alert_find(id);
    a->names = g_ptr_array_new_with_free_func(g_free);
    a->values = g_ptr_array_new_with_free_func(g_free);
    (void) alert_set(a, "HOST", g_get_host_name());     /* a good name and the first field */
    return a;
}

alert *alert_ref(alert *a)
{
    a->refs++;
    return a;
}

void alert_unref(alert *a)
{
    if (!a || --a->refs > 0)
        return;
    g_free(a->id);
    g_free(a->uuid);
    g_ptr_array_unref(a->names);
    g_ptr_array_unref(a->values);
    g_free(a);
}

static bool find_field(const alert *a, const char *name, guint *ret_at)
{
    for (guint i = 0; i < a->names->len; i++)
        if (g_str_equal(a->names->pdata[i], name)) {
            *ret_at = i;
            return true;
        }
    return false;
}

static char *printable(const char *value)
{
    char *s = g_utf8_make_valid(value ? value : "", -1);
    for (char *p = s; *p; p++)
        if ((g_ascii_iscntrl(*p) && *p != '\n' && *p != '\t'))
            *p = '?';
    return s;
}

/* Bytes of NAME=VALUE on the wire, escaped. */
static size_t wire_bytes(const char *name, const char *value)
{
    size_t n = strlen(name) + 2;
    for (const char *p = value; *p; p++)
        n += *p == '\n' || *p == '\\' ? 2 : 1;
    return n;
}

static void cut_to(char *value, const char *name, size_t room)
{
    size_t n = strlen(name) + 2;
    char *p = value;
    for (char *next; *p; p = next) {
        next = g_utf8_next_char(p);
        n += *p == '\n' || *p == '\\' ? 2 : (size_t) (next - p);
        if (n > room)
            break;
    }
    *p = '\0';
}

int alert_set(alert *a, const char *name, const char *value)
{
    guint at;
    if (!alert_valid_name(name))
        return -EINVAL;
    bool there = find_field(a, name, &at);
    if (!there && a->names->len >= ALERT_MAX_FIELDS)
        return -E2BIG;
    if (there)
        a->bytes -= wire_bytes(name, a->values->pdata[at]);
    size_t room = ALERT_MAX_BYTES - HEAD_BYTES - a->bytes;
    if (!there && strlen(name) + 2 > room)
        return -E2BIG;
    char *text = printable(value);
    if (wire_bytes(name, text) > room)
        cut_to(text, name, room);
    a->bytes += wire_bytes(name, text);
    if (there) {
        g_free(a->values->pdata[at]);
        a->values->pdata[at] = text;
        return 0;
    }
    g_ptr_array_add(a->names, g_strdup(name));
    g_ptr_array_add(a->values, text);
    return 0;
}

const char *alert_get(const alert *a, const char *name)
{
    guint at;
    return find_field(a, name, &at) ? a->values->pdata[at] : NULL;
}

const char *alert_id(const alert *a)
{
    return a->id;
}

const char *alert_uuid(const alert *a)
{
    return a->uuid;
}

void alert_set_uuid(alert *a, const char *uuid)
{
    g_free(a->uuid);
    a->uuid = g_strndup(uuid, ALERT_MAX_NAME);
}

gint64 alert_time_usec(const alert *a)
{
    return a->time_usec;
}

void alert_set_time(alert *a, gint64 time_usec)
{
    a->time_usec = time_usec;
}

int alert_severity(const alert *a)
{
    return a->def ? a->def->severity : LOG_WARNING;
}

const char *alert_severity_name(const alert *a)
{
    return severities[alert_severity(a)];
}

/* TEXT with %{FIELD} replaced; a field that is not there is empty. */
static char *expand(const alert *a, const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; ) {
        const char *end = p[0] == '%' && p[1] == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            g_string_append_c(out, *p++);
            continue;
        }
        g_autofree char *name = g_strndup(p + 2, (size_t) (end - p - 2));
        const char *value = alert_get(a, name);
        g_string_append(out, value ? value : "");
        p = end + 1;
    }
    return g_string_free(out, FALSE);
}

char *alert_subject(const alert *a)
{
    char *s = a->def ? expand(a, a->def->subject)
                     : g_strdup_printf("Alert %s on %s", a->id, alert_get(a, "HOST"));
    return g_strdelimit(s, "\r\n\t", ' ');
}

char *alert_body(const alert *a)
{
    const char *message = alert_get(a, "MESSAGE");
    return a->def ? expand(a, a->def->body) : g_strdup(message ? message : "");
}

char *alert_condition(const alert *a)
{
    if (!a->def || !a->def->condition)
        return NULL;
    return g_strdelimit(expand(a, a->def->condition), "\r\n\t", ' ');
}

int alert_level(const alert *a)
{
    if (!a->def || !a->def->level)
        return 1;
    g_autofree char *text = expand(a, a->def->level);
    gint64 level = 1;
    (void) g_ascii_string_to_signed(text, 10, 0, 100, &level, NULL);   /* no number: it is there */
    return (int) level;
}

void alert_each_field(const alert *a, alert_field_fn fn, void *data)
{
    for (guint i = 0; i < a->names->len; i++)
        fn(a->names->pdata[i], a->values->pdata[i], data);
}
