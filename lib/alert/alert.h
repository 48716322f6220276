/* Alerts: the one catalogue, and the way from whoever notices something to
 * zmalertd, which mails it, numbers it and hands it to the SNMP agent.
 *
 * An alert is an id of the catalogue with named fields. Raising it writes one
 * journal record (MESSAGE the body, MESSAGE_ID and PRIORITY the catalogue's,
 * ALERT=ID, ALERT_UUID, ALERT_SUBJECT, ALERT_<FIELD>) and sends the same to
 * zmalertd at once. The record is what counts: zmalertd reads the journal by
 * cursor, so nothing is lost while it is away, and knows the two by ALERT_UUID. */
#ifndef MAILSTEAD_ALERT_H
#define MAILSTEAD_ALERT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define ALERT_RAISE_SOCKET "/run/zimbra/alerts/raise"
#define ALERT_FEED_SOCKET "/run/zimbra/alerts/feed"

enum {
    ALERT_MAX_BYTES = 8192,     /* of an alert on the wire */
    ALERT_MAX_FIELDS = 48,
    ALERT_MAX_NAME = 64,
};

/* ---- the catalogue ----
 * Subject, body, condition and level are texts in which %{FIELD} stands for a
 * field's value. HOST is always there.
 *
 * A condition is something that lasts: its key names it (disk and volume), its
 * level how bad it is, "0" over. Only a change of level is news; the same again
 * is not told again. HOLD_S: it is over by itself so long after the last report,
 * for things whose end nobody reports. */
typedef struct {
    const char *id;
    int severity;               /* LOG_CRIT … */
    const char *message_id;     /* 32 hexadecimal digits */
    const char *subject;
    const char *body;
    const char *trap;           /* name of the notification in the MIB; NULL: none */
    const char *remedy;         /* NULL: nothing to do */
    const char *condition;
    const char *level;
    unsigned hold_s;
    bool no_mail;
} alert_def;

const alert_def *alert_table(size_t *ret_n);
const alert_def *alert_find(const char *id);

/* ---- one alert ---- */
typedef struct alert alert;

/* ID must be one of the catalogue's (or a name of small letters, digits and
 * '-': it then gets a plain subject). */
alert *alert_new(const char *id);
alert *alert_ref(alert *a);
void alert_unref(alert *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(alert, alert_unref)

/* Sets a field. Names are upper-case ASCII; a value that is not UTF-8 or has
 * control characters (but newline and tab) is made printable. A field that would
 * make the alert too long is cut. -EINVAL for a bad name, -E2BIG for too many. */
int alert_set(alert *a, const char *name, const char *value);
const char *alert_get(const alert *a, const char *name);   /* borrowed; NULL none */

const char *alert_id(const alert *a);
const char *alert_uuid(const alert *a);
void alert_set_uuid(alert *a, const char *uuid);
gint64 alert_time_usec(const alert *a);                    /* since the epoch */
void alert_set_time(alert *a, gint64 time_usec);
int alert_severity(const alert *a);
const char *alert_severity_name(const alert *a);           /* "crit", "warning"… */
char *alert_subject(const alert *a);                       /* one line; caller frees */
char *alert_body(const alert *a);
char *alert_condition(const alert *a);                     /* NULL: an event */
int alert_level(const alert *a);
typedef void (*alert_field_fn)(const char *name, const char *value, void *data);
void alert_each_field(const alert *a, alert_field_fn fn, void *data);

/* ---- the wire: lines KEY=VALUE, the first ID=, UUID= and TIME=; in values
 * newline is \n and backslash \\ ---- */
char *alert_format(const alert *a);                        /* caller frees */
/* Takes bytes of anybody. -EBADMSG when they are no alert, -E2BIG above the limits. */
int alert_parse(const char *text, size_t len, alert **ret);

/* ---- raising ---- */
/* Fields are pairs name, value, NULL-terminated. Never blocks, never fails
 * loudly: what cannot be delivered is in the journal. */
void alert_raise(const char *id, ...) G_GNUC_NULL_TERMINATED;
void alert_send(const alert *a);
/* The journal record alone. */
void alert_record(const alert *a);

#endif
