/* CAPABILITY, NOOP, LOGOUT, ID (RFC 2971), ENABLE (RFC 5161), NAMESPACE (RFC 2342),
 * IDLE (RFC 2177). */
#include "agents/store/shard/imap/cmd.h"

static bool no_arguments(session *s, imap_cursor *args)
{
    if (!imap_at_end(args))
        session_bad(s, "%s takes no arguments", s->command->name);
    return imap_at_end(args);
}

void cmd_capability(session *s, imap_cursor *args)
{
    if (!no_arguments(s, args))
        return;
    g_string_append_printf(session_out(s), "* CAPABILITY %s\r\n", imap_capabilities);
    session_ok(s, "CAPABILITY completed");
}

void cmd_noop(session *s, imap_cursor *args)
{
    if (no_arguments(s, args))
        session_ok(s, "%s completed", s->command->name);
}

void cmd_logout(session *s, imap_cursor *args)
{
    if (!no_arguments(s, args))
        return;
    g_string_append(session_out(s), "* BYE Logging out\r\n");
    session_ok(s, "LOGOUT completed");
    stream_close_after_flush(s->stream);
}

void cmd_id(session *s, imap_cursor *args)
{
    g_string_append(session_out(s), "* ID (\"name\" \"Mailstead\")\r\n");
    session_ok(s, "ID completed");
}

/* No extension offered here has to be enabled; unknown names are passed over. */
void cmd_enable(session *s, imap_cursor *args)
{
    do {
        if (!imap_take(args, ' ') || !imap_atom(args)) {
            session_bad(s, "ENABLE needs names of capabilities");
            return;
        }
    } while (!imap_at_end(args));
    g_string_append(session_out(s), "* ENABLED\r\n");
    session_ok(s, "ENABLE completed");
}

void cmd_namespace(session *s, imap_cursor *args)
{
    if (!no_arguments(s, args))
        return;
    g_string_append(session_out(s), "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    session_ok(s, "NAMESPACE completed");
}

static void idle_input(session *s)
{
    GByteArray *in = stream_input(s->stream);
    size_t used = 0;
    int event = imap_reader_feed(&s->reader, in->data, in->len, &used);
    if (event < 0) {
        session_bye(s, "DONE was expected");
        return;
    }
    stream_consume(s->stream, used);
    if (event == IMAP_MORE)
        return;
    bool done = event == IMAP_COMMAND && s->reader.command->len == 4 && g_ascii_strncasecmp((const char *) s->reader.command->data, "DONE", 4) == 0;
    if (event == IMAP_LITERAL)
        imap_reader_literal(&s->reader, IMAP_REFUSE);
    else
        imap_reader_next(&s->reader);
    session_take_input(s, NULL);
    s->idling = false;
    if (done)
        session_ok(s, "IDLE completed");
    else
        session_bad(s, "DONE was expected");
}

void cmd_idle(session *s, imap_cursor *args)
{
    if (!no_arguments(s, args))
        return;
    g_string_append(session_out(s), "+ idling\r\n");
    s->idling = true;
    session_take_input(s, idle_input);
    if (s->folder)
        session_changed(s->mailbox, s->folder, s);   /* what happened before is told at once */
}
