/* The service of mail clients: IMAP and POP3 sessions that login hands over. They
 * share one pool of threads that read blobs. */
#include "agents/store/shard/imap/imap.h"
#include "agents/store/shard/pop3/pop3.h"
#include "agents/store/shard/sessions.h"
#include "lib/journal/journal.h"

enum { READ_THREADS = 2, POP3_IDLE_SECONDS = 600 };

typedef struct {
    work_pool *work;
    imap_server *imap;
    pop3_server *pop3;
} sessions;

static uint64_t max_append(GKeyFile *file)
{
    g_autofree char *text = g_key_file_get_string(file, "imap", "max_append_bytes", NULL);
    guint64 bytes = imap_default_settings.max_append_bytes;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32, &bytes, NULL))
        journal_warning("mailboxd.conf: [imap] max_append_bytes = %s: must be a number from 1 to %u; %" G_GUINT64_FORMAT " holds", text, G_MAXUINT32, bytes);
    return bytes;
}

static void *start(const shard_context *c)
{
    g_autofree char *intake = g_build_filename(c->settings->socket_dir, "intake", NULL);
    imap_settings settings = imap_default_settings;
    settings.intake_path = intake;
    settings.max_append_bytes = max_append(c->settings->file);
    sessions *s = g_new0(sessions, 1);
    s->work = work_pool_new(c->event, READ_THREADS);
    s->imap = imap_server_new(c->event, c->shard, s->work, &settings);
    s->pop3 = pop3_server_new(c->event, c->shard, s->work, POP3_IDLE_SECONDS);
    return s;
}

static bool message(void *service, wire_conn *c, wire_message *m)
{
    sessions *s = service;
    return imap_server_message(s->imap, m) || pop3_server_message(s->pop3, m);
}

static void stop(void *service)
{
    sessions *s = service;
    imap_server_free(s->imap);
    pop3_server_free(s->pop3);
    work_pool_free(s->work);
    g_free(s);
}

const shard_service sessions_service = { "sessions", start, message, stop };
