/* See outbox.h. The file is one line: NUMBER TIME, the number of the last alert taken
 * and the latest time of any taken. zmalertd counts from 1 again when its folder was
 * emptied: a number that is not new with a time that is, is such an alert. */
#include "agents/snmp/outbox.h"

#include <errno.h>
#include <stdio.h>
#include "lib/journal/journal.h"

#define AGAIN_USEC UINT64_C(1000000)

typedef struct { gint64 number, time; } mark;

struct outbox {
    char *path;
    outbox_send send;
    void *data;
    sd_event_source *timer;
    GQueue waiting;             /* record * */
    mark seen, sent;
    guint n_sent;
    bool under_way, complained;
};

static void read_mark(outbox *o)
{
    g_autofree char *text = NULL;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    long long number, time;
    if (g_file_get_contents(o->path, &text, NULL, NULL) && sscanf(text, "%lld %lld", &number, &time) == 2)
        o->seen = (mark) { number, time };
    else                        /* the first start: what is long past is no news */
        o->seen = (mark) { G_MAXINT64, now - OUTBOX_FIRST_AGE_S };
    o->sent = o->seen;
}

static void write_mark(outbox *o)
{
    g_autofree char *text = g_strdup_printf("%lld %lld\n", (long long) o->sent.number, (long long) o->sent.time);
    g_autoptr(GError) error = NULL;
    bool ok = g_file_set_contents_full(o->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                       0600, &error);
    if (!ok && !o->complained)
        journal_error("which alert was sent last cannot be remembered, after a restart it may be sent again: %s", error->message);
    o->complained = !ok;
}

static mark mark_of(const record *row)
{
    mark m = { 0, 0 };
    (void) record_number(row, "NUMBER", &m.number);     /* packet_parse() saw to both */
    (void) record_number(row, "TIME", &m.time);
    return m;
}

static void move(mark *to, mark by)
{
    *to = (mark) { by.number, MAX(to->time, by.time) };
}

static void wake(outbox *o, uint64_t usec)
{
    int r = sd_event_source_set_time_relative(o->timer, usec);
    if (r >= 0)
        r = sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

void outbox_add(outbox *o, record *row, bool notify)
{
    mark m = mark_of(row);
    if (m.number <= o->seen.number && m.time <= o->seen.time)
        return;
    move(&o->seen, m);
    if (!notify) {
        move(&o->sent, m);
        write_mark(o);
        return;
    }
    if (o->waiting.length >= OUTBOX_MAX) {
        journal_error("more than %d alerts wait for snmpd; the oldest is given up", OUTBOX_MAX);
        record_unref(g_queue_pop_nth(&o->waiting, o->under_way ? 1 : 0));
    }
    g_queue_push_tail(&o->waiting, record_ref(row));
    outbox_kick(o);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    outbox *o = data;
    const record *next = g_queue_peek_head(&o->waiting);
    if (o->under_way || !next)
        return 0;
    o->under_way = true;
    if (!o->send(next, o->data))
        o->under_way = false;   /* the session's coming back kicks */
    return 0;
}

void outbox_taken(outbox *o, bool taken)
{
    if (!o->under_way)
        return;
    o->under_way = false;
    if (taken) {
        g_autoptr(record) row = g_queue_pop_head(&o->waiting);
        move(&o->sent, mark_of(row));
        o->n_sent++;
        write_mark(o);
    }
    wake(o, taken ? 0 : AGAIN_USEC);
}

void outbox_kick(outbox *o)
{
    wake(o, 0);
}

guint outbox_waiting(const outbox *o)
{
    return o->waiting.length;
}

guint outbox_sent(const outbox *o)
{
    return o->n_sent;
}

outbox *outbox_new(sd_event *event, const char *path, outbox_send send, void *data)
{
    outbox *o = g_new0(outbox, 1);
    o->path = g_strdup(path);
    o->send = send;
    o->data = data;
    g_queue_init(&o->waiting);
    read_mark(o);
    int r = sd_event_add_time_relative(event, &o->timer, CLOCK_MONOTONIC, 0, 1, on_timer, o);
    g_assert(r >= 0);
    return o;
}

void outbox_free(outbox *o)
{
    if (!o)
        return;
    sd_event_source_disable_unref(o->timer);
    g_queue_clear_full(&o->waiting, (GDestroyNotify) record_unref);
    g_free(o->path);
    g_free(o);
}
