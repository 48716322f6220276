/* See records.h. Anybody on the host can write to the journal; _UID, which
 * journald sets itself, says who. */
#include "agents/alerts/records.h"

#include <string.h>
#include "agents/alerts/intake.h"
#include "agents/alerts/reader.h"

#define PREFIX_ALERT "ALERT_"
enum { BACK_S = 86400, VALUE_MAX = 4096 };

struct records {
    manager *m;
    reader *reader;
};

static bool is_trusted(sd_journal *journal)
{
    g_autofree char *uid = reader_field(journal, "_UID", 20);
    guint64 number;
    return uid && g_ascii_string_to_unsigned(uid, 10, 0, G_MAXUINT32, &number, NULL) && intake_may_raise((uid_t) number);
}

/* journal_alert() gives none: the place in the journal stands for it. */
static char *uuid_of(sd_journal *journal)
{
    char *cursor = NULL;
    char *uuid = reader_field(journal, "ALERT_UUID", 40);
    if (uuid || sd_journal_get_cursor(journal, &cursor) < 0)
        return uuid;
    uuid = g_compute_checksum_for_string(G_CHECKSUM_MD5, cursor, -1);
    free(cursor);
    return uuid;
}

static void add_fields(alert *a, sd_journal *journal)
{
    const void *data;
    size_t len;
    SD_JOURNAL_FOREACH_DATA(journal, data, len) {
        const char *text = data, *equals = memchr(data, '=', len);
        size_t skip = strlen(PREFIX_ALERT);
        if (!equals || len > VALUE_MAX + ALERT_MAX_NAME || strncmp(text, PREFIX_ALERT, skip) != 0)
            continue;
        g_autofree char *name = g_strndup(text + skip, (size_t) (equals - text) - skip);
        g_autofree char *value = g_strndup(equals + 1, len - (size_t) (equals + 1 - text));
        if (!g_str_equal(name, "UUID") && !g_str_equal(name, "SUBJECT"))
            (void) alert_set(a, name, value);   /* what is no field is left out */
    }
}

static void on_entry(sd_journal *journal, gint64 time_usec, void *data)
{
    records *r = data;
    g_autofree char *id = reader_field(journal, "ALERT", ALERT_MAX_NAME), *uuid = uuid_of(journal);
    if (!id || !uuid || !alert_find(id) || !is_trusted(journal))
        return;
    g_autoptr(alert) a = alert_new(id);
    alert_set_uuid(a, uuid);
    alert_set_time(a, time_usec);
    (void) alert_set(a, "HOST", manager_config(r->m)->host);
    add_fields(a, journal);
    g_autofree char *message = alert_get(a, "MESSAGE") ? NULL : reader_field(journal, "MESSAGE", VALUE_MAX);
    g_autofree char *own = reader_field(journal, "ALERT_UUID", 40);
    if (message && !own)
        (void) alert_set(a, "MESSAGE", message);
    manager_take(r->m, a);
}

records *records_new(manager *m)
{
    size_t n;
    const alert_def *table = alert_table(&n);
    g_autoptr(GPtrArray) matches = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < n; i++)
        g_ptr_array_add(matches, g_strdup_printf("ALERT=%s", table[i].id));
    g_ptr_array_add(matches, NULL);
    records *r = g_new0(records, 1);
    r->m = m;
    r->reader = reader_new(m, "records", (const char *const *) matches->pdata, BACK_S, on_entry, r);
    return r;
}

void records_free(records *r)
{
    if (!r)
        return;
    reader_free(r->reader);
    g_free(r);
}
