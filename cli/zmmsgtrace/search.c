/* Finding messages: see zmmsgtrace.h. Goes over the first stays of the time asked
 * for; what belongs to one is loaded when its own row fits or may fit. */
#include "cli/zmmsgtrace/zmmsgtrace.h"

enum { MAX_STAYS = 200 };       /* of one message: a loop of bounces ends somewhere */

#define STAY_COLUMNS "id, time, size, done, door, queue_id, client, user, sender, message_id"

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *roots, *children, *events;
} statements;

static void stay_free(void *data)
{
    stay *s = data;
    g_free(s->queue_id);
    g_free(s->client);
    g_free(s->user);
    g_free(s->sender);
    g_free(s->message_id);
    g_free(s);
}

static void happening_free(void *data)
{
    happening *h = data;
    g_free(h->person);
    g_free(h->peer);
    g_free(h->dsn);
    g_free(h->text);
    g_free(h);
}

static char *text_at(sqlite3_stmt *st, int column)
{
    const char *text = (const char *) sqlite3_column_text(st, column);
    return g_strdup(text ? text : "");
}

static stay *stay_of(sqlite3_stmt *st)
{
    stay *s = g_new0(stay, 1);
    *s = (stay) { .id = sqlite3_column_int64(st, 0), .time = sqlite3_column_int64(st, 1), .size = sqlite3_column_int64(st, 2),
                  .done = sqlite3_column_int64(st, 3), .door = (maillog_door) sqlite3_column_int(st, 4),
                  .queue_id = text_at(st, 5), .client = text_at(st, 6), .user = text_at(st, 7), .sender = text_at(st, 8),
                  .message_id = text_at(st, 9) };
    return s;
}

static happening *happening_of(sqlite3_stmt *st, gint64 stay_id)
{
    happening *h = g_new0(happening, 1);
    *h = (happening) { .stay = stay_id, .time = sqlite3_column_int64(st, 0), .kind = (maillog_kind) sqlite3_column_int(st, 1),
                       .code = sqlite3_column_int64(st, 2), .delay = sqlite3_column_double(st, 3), .person = text_at(st, 4),
                       .peer = text_at(st, 5), .dsn = text_at(st, 6), .text = text_at(st, 7) };
    return h;
}

static void load_children(statements *s, traced *t)
{
    for (guint i = 0; i < t->stays->len; i++) {
        const stay *parent = t->stays->pdata[i];
        sqlite3_bind_int64(s->children, 1, parent->id);
        while (t->stays->len < MAX_STAYS && sqlite3_step(s->children) == SQLITE_ROW)
            g_ptr_array_add(t->stays, stay_of(s->children));
        sqlite3_reset(s->children);
    }
}

static int by_time(const void *a, const void *b)
{
    const happening *x = *(happening *const *) a, *y = *(happening *const *) b;
    return x->time < y->time ? -1 : x->time > y->time;
}

static void load_events(statements *s, traced *t)
{
    for (guint i = 0; i < t->stays->len; i++) {
        const stay *one = t->stays->pdata[i];
        sqlite3_bind_int64(s->events, 1, one->id);
        while (sqlite3_step(s->events) == SQLITE_ROW)
            g_ptr_array_add(t->events, happening_of(s->events, one->id));
        sqlite3_reset(s->events);
    }
    g_ptr_array_sort(t->events, by_time);
}

static bool fits(const GRegex *regex, const char *text)
{
    return g_regex_match(regex, text, 0, NULL);
}

static bool stay_fits(const traced *t, const GRegex *regex, size_t member)
{
    for (guint i = 0; i < t->stays->len; i++)
        if (fits(regex, G_STRUCT_MEMBER(char *, t->stays->pdata[i], member)))
            return true;
    return false;
}

static bool event_fits(const traced *t, const GRegex *regex, size_t member)
{
    for (guint i = 0; i < t->events->len; i++) {
        const happening *h = t->events->pdata[i];
        bool about_recipient = h->kind == MAILLOG_DELIVERED || h->kind == MAILLOG_DEFERRED || h->kind == MAILLOG_BOUNCED ||
                               h->kind == MAILLOG_FILTERED || h->kind == MAILLOG_REJECTED;
        if (about_recipient && fits(regex, G_STRUCT_MEMBER(char *, h, member)))
            return true;
    }
    return false;
}

static bool queue_id_fits(const traced *t, const char *queue_id)
{
    for (guint i = 0; i < t->stays->len; i++)
        if (g_str_equal(((const stay *) t->stays->pdata[i])->queue_id, queue_id))
            return true;
    return false;
}

static bool traced_fits(const traced *t, const criteria *c)
{
    return (!c->queue_id || queue_id_fits(t, c->queue_id)) &&
           (!c->message_id || stay_fits(t, c->message_id, G_STRUCT_OFFSET(stay, message_id))) &&
           (!c->source || stay_fits(t, c->source, G_STRUCT_OFFSET(stay, client))) &&
           (!c->recipient || event_fits(t, c->recipient, G_STRUCT_OFFSET(happening, person))) &&
           (!c->destination || event_fits(t, c->destination, G_STRUCT_OFFSET(happening, peer)));
}

static void look_at(statements *s, const criteria *c, stay *root, traced_fn found, void *data)
{
    traced t = { g_ptr_array_new_with_free_func(stay_free), g_ptr_array_new_with_free_func(happening_free) };
    g_ptr_array_add(t.stays, root);
    if (!c->sender || fits(c->sender, root->sender)) {
        load_children(s, &t);
        load_events(s, &t);
        if (traced_fits(&t, c))
            found(&t, data);
    }
    g_ptr_array_unref(t.stays);
    g_ptr_array_unref(t.events);
}

static bool prepare(statements *s, sqlite3 *db, GError **error)
{
    s->db = db;
    if (sqlite3_prepare_v2(db, "SELECT " STAY_COLUMNS " FROM message m WHERE time>=?1 AND time<?2 AND"
                           " (parent IS NULL OR NOT EXISTS(SELECT 1 FROM message p WHERE p.id=m.parent)) ORDER BY time",
                           -1, &s->roots, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT " STAY_COLUMNS " FROM message WHERE parent=?1 ORDER BY id", -1, &s->children, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT time, kind, code, delay, person, peer, dsn, text FROM event WHERE message=?1 ORDER BY id",
                           -1, &s->events, NULL) == SQLITE_OK)
        return true;
    g_set_error(error, MAILLOG_ERROR, sqlite3_errcode(db), "database of messages: %s", sqlite3_errmsg(db));
    return false;
}

bool trace_search(sqlite3 *db, const criteria *c, traced_fn found, void *data, GError **error)
{
    statements s = { .db = NULL };
    bool done = prepare(&s, db, error);
    if (done) {
        int r;
        sqlite3_bind_int64(s.roots, 1, c->since);
        sqlite3_bind_int64(s.roots, 2, c->until);
        while ((r = sqlite3_step(s.roots)) == SQLITE_ROW)
            look_at(&s, c, stay_of(s.roots), found, data);
        done = r == SQLITE_DONE;
        if (!done)
            g_set_error(error, MAILLOG_ERROR, r, "database of messages: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(s.roots);
    sqlite3_finalize(s.children);
    sqlite3_finalize(s.events);
    return done;
}
