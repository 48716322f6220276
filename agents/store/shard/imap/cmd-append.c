/* APPEND (RFC 9051 §6.3.12, UIDPLUS). The message streams into memory when small,
 * else into an O_TMPFILE of the volume, written by a thread. intake parses it: the
 * shard looks at no byte of it. The literal is stored exactly as it came. */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/journal/journal.h"
#include "lib/mime/mime.h"

typedef struct {
    uint32_t folder;
    unsigned flags;
    uint64_t tags;
    int64_t date;
    uint64_t size, left;
    int fd;                     /* -1 while there is none */
    GByteArray *body;           /* small messages */
    char *chunk;                /* on its way to FD */
    size_t chunk_len;
    int write_error;
} append;

static void append_free(void *p)
{
    append *a = p;
    if (a->fd >= 0)
        close(a->fd);
    if (a->body)
        g_byte_array_unref(a->body);
    g_free(a->chunk);
    g_free(a);
}

static bool is_small(const append *a)
{
    return a->size <= STORE_INLINE_MAX;
}

/* ---- arguments ---- */

static bool skip_flags(imap_cursor *c)
{
    if (!imap_take(c, '('))
        return true;
    if (!imap_take(c, ')')) {
        do {
            if (!imap_flag(c))
                return false;
        } while (imap_take(c, ' '));
        if (!imap_take(c, ')'))
            return false;
    }
    return imap_take(c, ' ');
}

bool append_wants_literal(const imap_reader *r)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    imap_cursor c = { .p = (const char *) r->command->data, .strings = strings };
    int64_t date;
    c.end = c.p + r->command->len;
    return imap_tag(&c) && imap_take(&c, ' ') && imap_take_word(&c, "APPEND") && imap_take(&c, ' ') && imap_astring(&c) &&
           imap_take(&c, ' ') && skip_flags(&c) && (!imap_next_is(&c, '"') || (imap_date_time(&c, &date) && imap_take(&c, ' '))) &&
           imap_next_is(&c, '{') && memchr(c.p, '\n', (size_t) (c.end - c.p)) == c.end - 1;
}

/* A message as a quoted string is not in the grammar; without one there is nothing to store. */
void cmd_append(session *s, imap_cursor *args)
{
    session_bad(s, "APPEND needs a mailbox and a message as a literal");
}

static void refuse(session *s, const char *answer)
{
    imap_reader_literal(&s->reader, IMAP_REFUSE);
    session_no(s, "%s", answer);
}

/* The reason why the message cannot be taken, or NULL. */
static const char *obstacle(session *s, const char *name, uint64_t size)
{
    const folder_info *f = name ? mailbox_folder_by_name(s->mailbox, name) : NULL;
    if (!f || f->noselect)
        return "[TRYCREATE] No such mailbox";
    if (size == 0)
        return "[CANNOT] An empty message cannot be stored";
    if (size > s->server->settings.max_append_bytes)
        return "[TOOBIG] The message is larger than this server allows";
    if (mailbox_over_quota(s->mailbox, size))
        return "[OVERQUOTA] Over quota";
    return NULL;
}

/* ---- storing ---- */

static void on_stored(int r, uint32_t uidvalidity, uint32_t uid, void *data)
{
    session *s = data;
    if (!s->closed && r < 0)
        session_no_errno(s, r);
    else if (!s->closed)
        session_ok(s, "[APPENDUID %u %u] APPEND completed", uidvalidity, uid);
    session_unref(s);
}

static void store(session *s, append *a, const wire_bytes *summary)
{
    new_message m = { .fd = is_small(a) ? -1 : a->fd, .body = is_small(a) ? a->body->data : NULL, .size = a->size,
                      .summary = summary->data, .summary_len = summary->len, .flags = a->flags, .tags = a->tags, .date = a->date };
    int r = mailbox_append(s->mailbox, a->folder, &m, on_stored, session_ref(s));
    if (r < 0)
        on_stored(r, 0, 0, s);
}

static bool has_nul(const wire_bytes *bytes)
{
    g_autoptr(mime_summary) summary = NULL;
    return mime_summary_decode(bytes->data, bytes->len, &summary) >= 0 && summary->has_nul;
}

static void on_parsed(wire_conn *c, wire_message *m, void *data)
{
    session *s = data;
    if (!s->closed && (!m || m->type != WIRE_PARSED || m->parsed.status != WIRE_OK)) {
        journal_error("APPEND of %s refused: intake did not parse the message", s->name);
        session_no(s, "[UNAVAILABLE] The message cannot be taken at the moment, try again later");
    } else if (!s->closed && has_nul(&m->parsed.summary)) {   /* RFC 9051 §4.3: literals hold no NUL */
        session_no(s, "[CANNOT] The message contains NUL bytes");
    } else if (!s->closed) {
        store(s, s->state, &m->parsed.summary);
    }
    session_unref(s);
}

static void on_intake(wire_conn *c, wire_message *m, void *data)
{
    imap_server *i = data;
    if (m)
        return;
    i->intake = NULL;
    wire_conn_unref(c);
}

static int ask_intake(session *s, append *a)
{
    imap_server *i = s->server;
    wire_message m = { .type = WIRE_PARSE, .n_fds = 1, .fds = { a->fd }, .parse = { .size = a->size } };
    int r = i->intake ? 0 : wire_connect(i->event, i->intake_path, on_intake, i, &i->intake);
    return r < 0 ? r : wire_call(i->intake, &m, on_parsed, session_ref(s));
}

/* A small message gets a descriptor only for intake's eyes. */
static int body_to_memfd(append *a)
{
    a->fd = memfd_create("append", MFD_CLOEXEC);
    if (a->fd < 0 || write(a->fd, a->body->data, a->body->len) != (ssize_t) a->body->len)
        return -EIO;
    return 0;
}

static void parse(session *s, append *a)
{
    int r = is_small(a) ? body_to_memfd(a) : 0;
    if (r == 0)
        r = ask_intake(s, a);
    if (r == 0)
        return;
    journal_error("APPEND of %s failed, cannot reach intake (is zimbra-mailbox-intake@ up?): %s", s->name, g_strerror(-r));
    session_no(s, "[UNAVAILABLE] The message cannot be taken at the moment, try again later");
}

/* ---- receiving ---- */

static void receive(session *s);

/* After the message: nothing but the end of the line. */
static void receive_end(session *s, append *a)
{
    GByteArray *in = stream_input(s->stream);
    size_t used = 0;
    int event = in->len > 0 ? imap_reader_feed(&s->reader, in->data, in->len, &used) : IMAP_MORE;
    stream_consume(s->stream, used);
    if (event == IMAP_MORE)
        return;
    bool clean = event == IMAP_COMMAND && s->reader.command->len == 0;
    if (event == IMAP_LITERAL)
        imap_reader_literal(&s->reader, IMAP_REFUSE);
    else if (event >= 0)
        imap_reader_next(&s->reader);
    session_take_input(s, NULL);
    if (!clean)
        session_bad(s, "APPEND takes one message");
    else if (a->write_error)
        session_no_errno(s, a->write_error);
    else
        parse(s, a);
}

static void write_chunk(void *data)
{
    session *s = data;
    append *a = s->state;
    for (size_t at = 0; at < a->chunk_len; ) {
        ssize_t n = write(a->fd, a->chunk + at, a->chunk_len - at);
        if (n < 0 && errno != EINTR) {
            a->write_error = -errno;
            return;
        }
        at += n > 0 ? (size_t) n : 0;
    }
}

static void chunk_written(void *data)
{
    session *s = data;
    append *a = s->state;
    g_clear_pointer(&a->chunk, g_free);
    if (!s->closed)
        session_take_input(s, receive);
    session_unref(s);
}

static void receive(session *s)
{
    append *a = s->state;
    GByteArray *in = stream_input(s->stream);
    size_t n = (size_t) MIN(a->left, (uint64_t) in->len);
    if (n == 0) {
        if (a->left == 0)
            receive_end(s, a);
        return;
    }
    a->left -= n;
    if (is_small(a)) {
        g_byte_array_append(a->body, in->data, (guint) n);
        stream_consume(s->stream, n);
        receive(s);
        return;
    }
    a->chunk = g_memdup2(in->data, n);
    a->chunk_len = a->write_error ? 0 : n;
    stream_consume(s->stream, n);
    session_take_input(s, NULL);
    work_run(s->server->work, write_chunk, chunk_written, session_ref(s));
}

/* The cursor stands after the name; the literal is announced and undecided. */
void append_start(session *s, imap_cursor *args)
{
    append *a = g_new0(append, 1);
    a->fd = -1;
    a->size = a->left = s->reader.literal_size;
    a->date = g_get_real_time() / G_USEC_PER_SEC;
    session_set_state(s, a, append_free);
    g_autofree char *name = imap_take(args, ' ') ? imap_mailbox(args) : NULL;
    const char *reason = obstacle(s, name, a->size);
    if (reason) {
        refuse(s, reason);
        return;
    }
    (void) imap_take(args, ' ');   /* append_wants_literal() has read all this once */
    if (imap_next_is(args, '(') && session_flag_list(s, args, &a->flags, &a->tags) < 0) {
        refuse(s, "[CANNOT] A flag of the message cannot be kept");
        return;
    }
    (void) imap_take(args, ' ');
    if (imap_next_is(args, '"'))
        (void) imap_date_time(args, &a->date);
    a->folder = mailbox_folder_by_name(s->mailbox, name)->id;
    if (is_small(a))
        a->body = g_byte_array_sized_new((guint) a->size);
    else if ((a->fd = shard_spool_fd(s->server->shard)) < 0) {
        refuse(s, "[LIMIT] The server is out of room");
        return;
    }
    if (!s->reader.literal_plus)
        g_string_append(session_out(s), "+ Ready for the message\r\n");
    imap_reader_literal(&s->reader, IMAP_STREAM);
    session_take_input(s, receive);
}
