/* The IMAP server of a shard: its sessions, and what they share. */
#include "agents/store/shard/imap/session.h"

#include "agents/store/shard/imap/start.h"

const imap_settings imap_default_settings = { .max_append_bytes = 64 * 1024 * 1024, .idle_seconds = 30 * 60 + 30, .intake_path = WIRE_STORE_DIR "/intake" };

imap_server *imap_server_new(sd_event *event, shard *s, work_pool *work, const imap_settings *settings)
{
    imap_server *i = g_new0(imap_server, 1);
    *i = (imap_server) { .event = sd_event_ref(event), .shard = s, .work = work, .settings = *settings,
                         .intake_path = g_strdup(settings->intake_path), .sessions = g_hash_table_new(NULL, NULL),
                         .recent = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL) };
    return i;
}

void imap_server_free(imap_server *i)
{
    if (!i)
        return;
    g_autoptr(GList) sessions = g_hash_table_get_keys(i->sessions);
    for (GList *p = sessions; p; p = p->next)
        session_end(p->data, "The server is going down");
    wire_conn_unref(i->intake);
    g_hash_table_unref(i->sessions);
    g_hash_table_unref(i->recent);
    g_free(i->intake_path);
    sd_event_unref(i->event);
    g_free(i);
}

bool imap_server_message(imap_server *i, wire_message *m)
{
    if (m->type != WIRE_HANDOFF || m->handoff.protocol != WIRE_IMAP)
        return false;
    int fd = wire_take_fd(m, 0);
    if (fd >= 0)
        session_start(i, fd, &m->handoff);
    return true;
}

unsigned imap_server_sessions(const imap_server *i)
{
    return g_hash_table_size(i->sessions);
}
