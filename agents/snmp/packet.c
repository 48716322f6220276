/* See packet.h. The feed is local and of our own making, its values are not. */
#include "agents/snmp/packet.h"

#include <string.h>
#include "lib/alert/alert.h"

enum { LINE_NUMBER, LINE_ID, LINE_SEVERITY, LINE_SUBJECT, LINE_BODY, LINES };
static const char *const line_fields[LINES] = { "NUMBER", "ID", "SEVERITY", "SUBJECT", "BODY" };

/* Undoes \n and \\ in place. */
static char *unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '\\' && from[1])
            *to++ = *++from == 'n' ? '\n' : *from;
        else
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

static bool is_field_name(const char *name, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isupper(name[i]) && !g_ascii_isdigit(name[i]) && name[i] != '_')
            return false;
    return len > 0;
}

static bool take_line(record *r, guint index, char *line)
{
    if (index < LINES) {
        record_set(r, line_fields[index], unescape(line));
        return true;
    }
    char *equals = strchr(line, '=');
    if (!equals || !is_field_name(line, (gsize) (equals - line)))
        return false;
    *equals = '\0';
    for (guint i = 0; i < LINES; i++)
        if (g_str_equal(line, line_fields[i]))
            return true;        /* a field of the alert's own; the head is what counts */
    record_set(r, line, unescape(equals + 1));
    return true;
}

/* syslog's words become ZmSeverity's numbers. */
static void number_severity(record *r)
{
    static const char *const words[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };
    const char *word = record_get(r, "SEVERITY");
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(words[i], word)) {
            record_set_number(r, "SEVERITY", i + 1);
            return;
        }
    record_set_number(r, "SEVERITY", 6);
}

static void derive(record *r)
{
    static const struct { const char *id, *field, *value; } derived[] = {
        { "service-started", "SERVICE_STATE", "1" }, { "service-stopped", "SERVICE_STATE", "3" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(derived); i++)
        if (g_str_equal(record_get(r, "ID"), derived[i].id))
            record_set(r, derived[i].field, derived[i].value);
}

static void fill(record *r, const char *object_name)
{
    const object *o = mib_object(GROUP_ALERT, object_name);
    gint64 number;
    g_assert(o);
    if (o->type == AS_STRING || o->type == AS_TEXT)
        record_set(r, o->field, record_get(r, o->field) ? NULL : "");
    else if (!record_number(r, o->field, &number))
        record_set(r, o->field, "0");
}

/* Fields that this alert's notification does not show are not of its row. */
static void keep_only(record *r, const char *const *own)
{
    const group *g = mib_group(GROUP_ALERT);
    for (guint i = 0; i < g->n; i++) {
        const char *name = g->objects[i].name;
        if (g->objects[i].id >= 10 && !(own && g_strv_contains(own, name)))
            g_hash_table_remove(r, g->objects[i].field);
    }
}

const notification *packet_notification(const record *row)
{
    const alert_def *def = alert_find(record_get(row, "ID"));
    if (def && !def->trap)
        return NULL;
    return mib_notification(def ? def->trap : record_get(row, "TRAP"));
}

record *packet_parse(const char *bytes, gsize len)
{
    gint64 number;
    if (len == 0 || len > PACKET_MAX || memchr(bytes, '\0', len) || !g_utf8_validate(bytes, (gssize) len, NULL))
        return NULL;
    g_autofree char *text = g_strndup(bytes, len);
    if (g_str_has_suffix(text, "\n"))
        text[len - 1] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", LINES + PACKET_FIELDS_MAX + 1);
    g_autoptr(record) r = record_new();
    guint n = g_strv_length(lines);
    if (n < LINES || n > LINES + PACKET_FIELDS_MAX)
        return NULL;
    for (guint i = 0; i < n; i++)
        if (!take_line(r, i, lines[i]))
            return NULL;
    if (!*record_get(r, "ID") || !record_number(r, "NUMBER", &number) || number < 1 || number > G_MAXUINT32)
        return NULL;
    number_severity(r);
    derive(r);
    const notification *told_by = packet_notification(r);
    keep_only(r, told_by ? told_by->objects : NULL);
    for (guint i = 0; mib_common_objects[i]; i++)
        fill(r, mib_common_objects[i]);
    for (guint i = 0; told_by && told_by->objects[i]; i++)
        fill(r, told_by->objects[i]);
    for (guint i = 0; i < 3; i++)
        fill(r, (const char *const[]) { "zmAlertLevel", "zmAlertCondition", "zmAlertBody" }[i]);
    return g_steal_pointer(&r);
}
