/* IMAP before login (RFC 9051 §6.1, §6.2): a table of commands; everything else
 * has to wait for the shard. The tagged OK of a login is sent by the shard, with
 * the capabilities that hold there. */
#include "agents/store/login/login.h"

#include <errno.h>

typedef struct {
    const char *name;
    void (*run)(client *c, imap_cursor *args);
} command;

static void put_capability(client *c)
{
    client_printf(c, "IMAP4rev1 SASL-IR LITERAL+ ID%s%s", client_may_start_tls(c) ? " STARTTLS" : "",
                  client_is_private(c) ? " AUTH=PLAIN" : " LOGINDISABLED");
}

static void greet(client *c)
{
    client_printf(c, "* OK [CAPABILITY ");
    put_capability(c);
    client_printf(c, "] Mailstead IMAP ready\r\n");
}

static void bye(client *c, const char *reason)
{
    client_printf(c, "* BYE [UNAVAILABLE] %s\r\n", reason);
}

static void refused(client *c, const auth_result *result)
{
    client_printf(c, result->status == AUTH_TEMPFAIL
                  ? "%s NO [UNAVAILABLE] Login is not possible at the moment, try again later\r\n"
                  : "%s NO [AUTHENTICATIONFAILED] Invalid user name or password\r\n", c->tag);
}

static void elsewhere(client *c, const char *host)
{
    client_printf(c, "%s NO [UNAVAILABLE] Your mailbox is on %s, please connect there\r\n", c->tag, host);
}

static void ok(client *c, const char *what)
{
    client_printf(c, "%s OK %s completed\r\n", c->tag, what);
}

static void bad(client *c, const char *text)
{
    client_printf(c, "%s BAD %s\r\n", c->tag && *c->tag ? c->tag : "*", text);
}

/* ---- commands ---- */

static void run_capability(client *c, imap_cursor *args)
{
    client_printf(c, "* CAPABILITY ");
    put_capability(c);
    client_printf(c, "\r\n");
    ok(c, "CAPABILITY");
}

static void run_noop(client *c, imap_cursor *args)
{
    ok(c, "NOOP");
}

static void run_logout(client *c, imap_cursor *args)
{
    client_printf(c, "* BYE Logging out\r\n");
    ok(c, "LOGOUT");
    client_close_after_flush(c);
}

/* What a client says of itself is not needed here (RFC 2971). */
static void run_id(client *c, imap_cursor *args)
{
    client_printf(c, "* ID (\"name\" \"Mailstead\")\r\n");
    ok(c, "ID");
}

static void run_starttls(client *c, imap_cursor *args)
{
    if (!client_may_start_tls(c)) {
        bad(c, c->ssl ? "TLS is already active" : "TLS is not available");
        return;
    }
    client_printf(c, "%s OK Begin TLS negotiation now\r\n", c->tag);
    c->start_tls = true;
}

static bool may_log_in(client *c)
{
    if (!client_is_private(c))
        client_printf(c, "%s NO [PRIVACYREQUIRED] Use STARTTLS or the TLS port first\r\n", c->tag);
    return client_is_private(c);
}

static void run_login(client *c, imap_cursor *args)
{
    if (!may_log_in(c))
        return;
    const char *user = imap_take(args, ' ') ? imap_astring(args) : NULL;
    const char *password = user && imap_take(args, ' ') ? imap_astring(args) : NULL;
    if (!password || !imap_at_end(args))
        bad(c, "LOGIN needs a user name and a password");
    else
        client_login(c, user, password);
}

static void sasl_response(client *c, const char *base64)
{
    if (g_str_equal(base64, "*"))
        bad(c, "AUTHENTICATE cancelled");
    else if (!client_login_plain(c, g_str_equal(base64, "=") ? "" : base64))
        bad(c, "Malformed SASL PLAIN response");
}

static void run_authenticate(client *c, imap_cursor *args)
{
    if (!may_log_in(c))
        return;
    if (!imap_take(args, ' ') || !imap_take_word(args, "PLAIN")) {
        client_printf(c, "%s NO Only the PLAIN mechanism is offered\r\n", c->tag);
    } else if (imap_take(args, ' ')) {   /* initial response (RFC 4959) */
        g_autofree char *response = g_strndup(args->p, (gsize) (args->end - args->p));
        sasl_response(c, response);
        explicit_bzero(response, strlen(response));
    } else if (imap_at_end(args)) {
        c->sasl = true;
        client_printf(c, "+ \r\n");
    } else {
        bad(c, "Malformed AUTHENTICATE");
    }
}

static const command commands[] = {
    { "CAPABILITY", run_capability }, { "NOOP", run_noop }, { "LOGOUT", run_logout }, { "ID", run_id },
    { "STARTTLS", run_starttls }, { "LOGIN", run_login }, { "AUTHENTICATE", run_authenticate },
};

/* ---- input ---- */

static void run_command(client *c)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    imap_cursor args = { .p = (const char *) c->reader.command->data, .strings = strings };
    args.end = args.p + c->reader.command->len;
    const char *tag = imap_tag(&args);
    g_free(c->tag);
    c->tag = g_strdup(tag && strlen(tag) <= 64 ? tag : "");
    if (!*c->tag || !imap_take(&args, ' ')) {
        bad(c, "A command starts with a tag");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (imap_take_word(&args, commands[i].name)) {
            commands[i].run(c, &args);
            return;
        }
    bad(c, "Unknown command, or one that needs a login first");
}

static void run_line(client *c)
{
    if (c->sasl) {
        c->sasl = false;
        g_autofree char *line = g_strndup((const char *) c->reader.command->data, c->reader.command->len);
        sasl_response(c, line);
        explicit_bzero(line, strlen(line));
    } else {
        run_command(c);
    }
    explicit_bzero(c->reader.command->data, c->reader.command->len);
    imap_reader_next(&c->reader);
}

static void announce_literal(client *c)
{
    bool fits = c->reader.literal_size <= 1024 && !c->sasl;
    if (!fits)
        client_printf(c, "* BAD Literal too large before login\r\n");
    else if (!c->reader.literal_plus)
        client_printf(c, "+ OK\r\n");
    imap_reader_literal(&c->reader, fits ? IMAP_BUFFER : IMAP_REFUSE);
}

static int input(client *c)
{
    size_t used = 0;
    int event = imap_reader_feed(&c->reader, c->in->data, c->in->len, &used);
    if (event < 0) {
        client_printf(c, "* BYE Command too long\r\n");
        return event;
    }
    explicit_bzero(c->in->data, used);
    g_byte_array_remove_range(c->in, 0, (guint) used);
    if (event == IMAP_COMMAND) {
        run_line(c);
    } else if (event == IMAP_LITERAL) {
        announce_literal(c);
    } else if (event == IMAP_TOO_LONG) {
        client_printf(c, "* BAD Command too long\r\n");
        imap_reader_next(&c->reader);
    }
    return 0;
}

const protocol imap_protocol = { .name = "imap", .wire = WIRE_IMAP, .greet = greet, .input = input, .bye = bye, .refused = refused, .elsewhere = elsewhere };
