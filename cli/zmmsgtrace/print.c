/* One message on standard output: identity, recipients, then what happened in the
 * order of time. The texts are printable already (lib/maillog). */
#include "cli/zmmsgtrace/zmmsgtrace.h"

#include <stdio.h>

static void print_time(gint64 usec)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(usec / G_USEC_PER_SEC);
    g_autofree char *text = t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
    printf("  %s - ", text);
}

static void print_recipients(const traced *t)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const stay *first = t->stays->pdata[0];
    for (guint i = 0; i < t->events->len; i++) {
        const happening *h = t->events->pdata[i];
        bool names_one = h->stay == first->id && (h->kind == MAILLOG_DELIVERED || h->kind == MAILLOG_DEFERRED ||
                                                  h->kind == MAILLOG_BOUNCED || h->kind == MAILLOG_FILTERED);
        if (names_one && g_hash_table_add(seen, h->person))
            printf("\t%s\n", h->person);
    }
}

static void print_stay(const stay *s, const char *host)
{
    static const char *const doors[] = {
        [MAILLOG_DOOR_UNKNOWN] = "seen in the queue of", [MAILLOG_DOOR_SMTP] = "-->", [MAILLOG_DOOR_LOCAL] = "given by a program to",
        [MAILLOG_DOOR_FILTER] = "back from the filter to", [MAILLOG_DOOR_SYSTEM] = "notice made by",
    };
    print_time(s->time);
    if (s->door == MAILLOG_DOOR_SMTP)
        printf("%s ", s->client);
    if (s->user && *s->user)
        printf("(user %s) ", s->user);
    printf("%s %s as %s, %" G_GINT64_FORMAT " bytes from <%s>\n", doors[CLAMP(s->door, 0, MAILLOG_DOOR_SYSTEM)], host, s->queue_id,
           s->size, s->sender);
}

static void print_event(const happening *h, const char *host)
{
    static const char *const words[] = {
        [MAILLOG_DELIVERED] = "sent", [MAILLOG_DEFERRED] = "deferred", [MAILLOG_BOUNCED] = "bounced", [MAILLOG_FILTERED] = "sent to filter",
    };
    switch (h->kind) {
    case MAILLOG_DELIVERED: case MAILLOG_DEFERRED: case MAILLOG_BOUNCED: case MAILLOG_FILTERED:
        print_time(h->time);
        printf("%s --> %s for %s status %s (%s)\n", host, *h->peer ? h->peer : "none", h->person, words[h->kind], h->text);
        break;
    case MAILLOG_SCANNED:
        print_time(h->time);
        printf("filter: %s %s%s%s, hits %g\n", h->dsn, h->peer, *h->text ? " " : "", h->text, h->delay);
        break;
    case MAILLOG_STORED:
        print_time(h->time);
        printf(h->code ? "stored for %s in %s\n" : "not stored for %s in %s\n", h->person, h->peer);
        break;
    case MAILLOG_REJECTED:
        print_time(h->time);
        printf("refused: %s to <%s>: %s\n", h->peer, h->person, h->text);
        break;
    default:
        break;
    }
}

void print_traced(const traced *t, const char *host)
{
    const stay *first = t->stays->pdata[0];
    printf("\nMessage ID '%s'\n%s -->\n", first->message_id, *first->sender ? first->sender : "<>");
    print_recipients(t);
    guint next = 0;
    for (guint i = 0; i < t->events->len; i++) {
        const happening *h = t->events->pdata[i];
        for (; next < t->stays->len && ((const stay *) t->stays->pdata[next])->time <= h->time; next++)
            print_stay(t->stays->pdata[next], host);
        print_event(h, host);
    }
    for (; next < t->stays->len; next++)
        print_stay(t->stays->pdata[next], host);
}
