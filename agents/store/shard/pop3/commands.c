/* POP3's TRANSACTION state (RFC 1939 §5-7): a table of commands. */
#include "agents/store/shard/pop3/session.h"

#include <errno.h>

#include "lib/statpage/statpage.h"

typedef struct {
    const char *name;
    unsigned min_args, max_args;
    void (*run)(session *s, unsigned n, const uint32_t *args);
} command;

static void put(session *s, const char *line)
{
    g_string_append_printf(pop3_session_out(s), "%s\r\n", line);
}

/* Message NUMBER as an index; false after the answer. */
static bool message_index(session *s, uint32_t number, uint32_t *ret)
{
    bool there = number >= 1 && number <= s->view->n && !pop3_session_is_deleted(s, number - 1);
    if (there)
        *ret = number - 1;
    else
        put(s, "-ERR No such message");
    return there;
}

static void put_drop(session *s, const char *format)
{
    g_string_append_printf(pop3_session_out(s), "%s%u %" G_GUINT64_FORMAT "\r\n", format, s->view->n - s->n_deleted, s->bytes - s->deleted_bytes);
}

static void run_stat(session *s, unsigned n, const uint32_t *args)
{
    put_drop(s, "+OK ");
}

/* ---- listings ---- */

static void put_size(session *s, uint32_t index)
{
    g_string_append_printf(pop3_session_out(s), "%u %u\r\n", index + 1, folder_view_at(s->view, index)->size);
}

static void put_uid(session *s, uint32_t index)
{
    g_string_append_printf(pop3_session_out(s), "%u %u.%u\r\n", index + 1, s->view->uidvalidity, folder_view_at(s->view, index)->uid);
}

static void list_more(session *s)
{
    while (s->next < s->view->n && !stream_full(s->stream)) {
        uint32_t index = s->next++;
        if (!pop3_session_is_deleted(s, index))
            s->put_line(s, index);
    }
    if (s->next < s->view->n)
        return;
    put(s, ".");
    pop3_session_done(s);
}

static void list(session *s, unsigned n, const uint32_t *args, void (*put_line)(session *, uint32_t))
{
    uint32_t index;
    if (n == 1) {
        if (message_index(s, args[0], &index)) {
            g_string_append(pop3_session_out(s), "+OK ");
            put_line(s, index);
        }
        return;
    }
    put(s, "+OK Listing follows");
    s->busy = true;
    s->next = 0;
    s->put_line = put_line;
    s->produce = list_more;
    list_more(s);
}

static void run_list(session *s, unsigned n, const uint32_t *args)
{
    list(s, n, args, put_size);
}

static void run_uidl(session *s, unsigned n, const uint32_t *args)
{
    list(s, n, args, put_uid);
}

/* ---- messages ---- */

static void run_retr(session *s, unsigned n, const uint32_t *args)
{
    uint32_t index;
    if (!message_index(s, args[0], &index))
        return;
    s->busy = true;
    retrieve_start(s, index, UINT32_MAX);
}

static void run_top(session *s, unsigned n, const uint32_t *args)
{
    uint32_t index;
    if (!message_index(s, args[0], &index))
        return;
    s->busy = true;
    retrieve_start(s, index, MIN(args[1], UINT32_MAX - 1));
}

static void run_dele(session *s, unsigned n, const uint32_t *args)
{
    uint32_t index;
    if (!message_index(s, args[0], &index))
        return;
    if (!s->deleted)
        s->deleted = g_new0(uint8_t, s->view->n);
    s->deleted[index] = 1;
    s->n_deleted++;
    s->deleted_bytes += folder_view_at(s->view, index)->size;
    put(s, "+OK Will be deleted at QUIT");
}

static void run_rset(session *s, unsigned n, const uint32_t *args)
{
    g_clear_pointer(&s->deleted, g_free);
    s->n_deleted = 0;
    s->deleted_bytes = 0;
    put(s, "+OK Nothing is deleted");
}

static void run_noop(session *s, unsigned n, const uint32_t *args)
{
    put(s, "+OK");
}

static void run_capa(session *s, unsigned n, const uint32_t *args)
{
    put(s, "+OK Capability list follows\r\nTOP\r\nUIDL\r\nUSER\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n.");
}

/* ---- the UPDATE state ---- */

static void goodbye(session *s, int r)
{
    pop3_session_count(s);
    put(s, r < 0 ? "-ERR [SYS/TEMP] Some deleted messages were not removed" : "+OK Bye");
    stream_close_after_flush(s->stream);
}

static void on_expunged(int r, void *data)
{
    session *s = data;
    if (!s->closed)
        goodbye(s, r);
    pop3_session_unref(s);
}

static void run_quit(session *s, unsigned n, const uint32_t *args)
{
    s->busy = true;
    if (s->n_deleted == 0) {
        goodbye(s, 0);
        return;
    }
    g_autofree uint32_t *uids = g_new(uint32_t, s->n_deleted);
    size_t k = 0;
    for (uint32_t i = 0; i < s->view->n; i++)
        if (s->deleted[i])
            uids[k++] = folder_view_at(s->view, i)->uid;
    int r = mailbox_expunge(s->mailbox, FOLDER_ID_INBOX, uids, k, on_expunged, pop3_session_ref(s));
    if (r < 0)
        on_expunged(r, s);
}

static const command commands[] = {
    { "STAT", 0, 0, run_stat }, { "LIST", 0, 1, run_list }, { "UIDL", 0, 1, run_uidl }, { "RETR", 1, 1, run_retr },
    { "TOP", 2, 2, run_top }, { "DELE", 1, 1, run_dele }, { "RSET", 0, 0, run_rset }, { "NOOP", 0, 0, run_noop },
    { "CAPA", 0, 0, run_capa }, { "QUIT", 0, 0, run_quit },
};

/* Words after the name as numbers; false: something else, or too many. */
static bool parse_numbers(char **words, unsigned *ret_n, uint32_t args[2])
{
    unsigned n = 0;
    for (char **w = words; *w; w++) {
        guint64 v;
        if (!**w)
            continue;
        if (n == 2 || !g_ascii_string_to_unsigned(*w, 10, 0, UINT32_MAX, &v, NULL))
            return false;
        args[n++] = (uint32_t) v;
    }
    *ret_n = n;
    return true;
}

const char *pop3_command_name(unsigned i)
{
    return i < G_N_ELEMENTS(commands) ? commands[i].name : NULL;
}

static void run(session *s, size_t i, unsigned n, const uint32_t *args)
{
    s->counting = true;
    s->number = (unsigned) i;
    s->begun_us = statpage_now_us();
    commands[i].run(s, n, args);
    if (!s->busy)
        pop3_session_count(s);
}

void pop3_command(session *s, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);
    uint32_t args[2] = { 0, 0 };
    unsigned n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(commands) && words[0]; i++)
        if (g_ascii_strcasecmp(words[0], commands[i].name) == 0) {
            if (!parse_numbers(words + 1, &n, args) || n < commands[i].min_args || n > commands[i].max_args)
                put(s, "-ERR Wrong arguments");
            else
                run(s, i, n, args);
            return;
        }
    put(s, "-ERR Unknown command");
}
