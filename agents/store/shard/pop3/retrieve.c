/* RETR and TOP: the blob in chunks, dot-stuffed, as the socket drains. */
#include "agents/store/shard/pop3/session.h"

#include <errno.h>
#include <unistd.h>

#include "lib/journal/journal.h"

enum { CHUNK = 16 * 1024 };

static void run(session *s);

static void finish(session *s)
{
    dots_end(&s->dots, pop3_session_out(s));
    close(s->fd);
    s->fd = -1;
    pop3_session_done(s);
}

static void on_chunk(ssize_t r, const void *bytes, void *data)
{
    session *s = data;
    s->waiting = false;
    if (!s->closed && r < 0) {
        journal_error("a message of %s cannot be read: %s", s->name, g_strerror((int) -r));
        s->produce = NULL;
        stream_close_after_flush(s->stream);   /* inside an answer there is no other way to say so */
    } else if (!s->closed) {
        s->offset += (uint64_t) r;
        if (r == 0 || !dots_put(&s->dots, pop3_session_out(s), bytes, (size_t) r))
            finish(s);
        else
            run(s);
    }
    pop3_session_unref(s);
}

static void run(session *s)
{
    if (s->running)
        return;
    s->running = true;
    while (s->produce && !s->waiting && !stream_full(s->stream)) {
        s->waiting = true;
        blob_read(s->server->work, s->fd, s->offset, CHUNK, on_chunk, pop3_session_ref(s));
    }
    s->running = false;
}

static void on_drain(session *s)
{
    if (!s->waiting)
        run(s);
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    session *s = data;
    s->waiting = false;
    if (s->closed) {
        if (r >= 0)
            close(fd);
    } else if (r < 0) {
        g_string_append(pop3_session_out(s), r == -ENOENT ? "-ERR That message was removed meanwhile\r\n" : "-ERR [SYS/TEMP] The message cannot be read\r\n");
        pop3_session_done(s);
    } else {
        g_string_append_printf(pop3_session_out(s), "+OK %" G_GUINT64_FORMAT " octets\r\n", size);
        s->fd = fd;
        s->offset = 0;
        s->produce = on_drain;
        run(s);
    }
    pop3_session_unref(s);
}

void retrieve_start(session *s, uint32_t index, uint32_t body_lines)
{
    dots_begin(&s->dots, body_lines);
    s->waiting = true;
    mailbox_blob(s->mailbox, folder_view_at(s->view, index)->item, on_blob, pop3_session_ref(s));
}
