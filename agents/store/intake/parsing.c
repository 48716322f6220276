/* Messages that shards want parsed (APPEND's, and those found at recovery): read
 * from the descriptor they gave in slices of one loop pass each, so that a large
 * one does not hold up deliveries. */
#include "agents/store/intake/intake.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/journal.h"
#include "lib/mime/mime.h"

#define SLICE (128 * 1024)

struct parsing {
    intake *in;
    wire_conn *conn;
    uint32_t id;
    int fd;
    uint64_t size, offset;
    mime_parser *parser;
    sd_event_source *defer;
    char buffer[SLICE];
};

void parsing_free(parsing *p)
{
    g_hash_table_remove(p->in->parsings, p);
    sd_event_source_disable_unref(p->defer);
    if (p->parser)
        mime_summary_free(mime_parser_end(p->parser));
    if (p->fd >= 0)
        close(p->fd);
    wire_conn_unref(p->conn);
    g_free(p);
}

static void answer(parsing *p, wire_status status)
{
    wire_message m = { .type = WIRE_PARSED, .id = p->id, .parsed = { .status = status } };
    g_autoptr(GBytes) bytes = NULL;
    if (status == WIRE_OK) {
        g_autoptr(mime_summary) summary = mime_parser_end(g_steal_pointer(&p->parser));
        bytes = mime_summary_encode(summary);
        m.parsed.summary.data = g_bytes_get_data(bytes, &m.parsed.summary.len);
    }
    int r = wire_send(p->conn, &m);
    if (r < 0)
        journal_warning("cannot answer a shard: %s", g_strerror(-r));
    parsing_free(p);
}

static int on_slice(sd_event_source *s, void *data)
{
    parsing *p = data;
    ssize_t n = p->offset < p->size ? pread(p->fd, p->buffer, MIN(SLICE, p->size - p->offset), (off_t) p->offset) : 0;
    if (n > 0) {
        mime_parser_feed(p->parser, p->buffer, (size_t) n);
        p->offset += (uint64_t) n;
    }
    if (p->offset == p->size)
        answer(p, WIRE_OK);
    else if (n <= 0)
        answer(p, WIRE_TEMPFAIL);      /* shorter than announced, or unreadable */
    return 0;
}

void parsing_start(intake *in, wire_conn *c, wire_message *m)
{
    parsing *p = g_new0(parsing, 1);
    p->in = in;
    p->conn = wire_conn_ref(c);
    p->id = m->id;
    p->fd = wire_take_fd(m, 0);
    p->size = m->parse.size;
    p->parser = mime_parser_new(&mime_default_limits);
    g_hash_table_add(in->parsings, p);
    struct stat st;
    if (p->fd < 0 || fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        sd_event_add_defer(in->event, &p->defer, on_slice, p) < 0 ||
        sd_event_source_set_enabled(p->defer, SD_EVENT_ON) < 0)
        answer(p, WIRE_REFUSED);
}
