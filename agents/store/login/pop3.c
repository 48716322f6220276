/* POP3 before login (RFC 1939 §4, RFC 2449, RFC 2595, RFC 5034). The +OK of a
 * login is sent by the shard, which knows whether the maildrop could be opened. */
#include "agents/store/login/login.h"

#include <errno.h>

enum { LINE_MAX_BYTES = 1024 };   /* RFC 2449 §4 asks for 255; a ticket or a SASL response is longer */

typedef struct {
    const char *name;
    void (*run)(client *c, const char *args);
} command;

static void greet(client *c)
{
    client_printf(c, "+OK Mailstead POP3 ready\r\n");
}

static void bye(client *c, const char *reason)
{
    client_printf(c, "-ERR [SYS/TEMP] %s\r\n", reason);
}

static void refused(client *c, const auth_result *result)
{
    client_printf(c, result->status == AUTH_TEMPFAIL
                  ? "-ERR [SYS/TEMP] Login is not possible at the moment, try again later\r\n"
                  : "-ERR [AUTH] Invalid user name or password\r\n");
}

static void elsewhere(client *c, const char *host)
{
    client_printf(c, "-ERR [SYS/TEMP] Your mailbox is on %s, please connect there\r\n", host);
}

static bool may_log_in(client *c)
{
    if (!client_is_private(c))
        client_printf(c, "-ERR Use STLS or the TLS port first\r\n");
    return client_is_private(c);
}

static void run_capa(client *c, const char *args)
{
    client_printf(c, "+OK Capability list follows\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n%s%s.\r\n",
                  client_is_private(c) ? "USER\r\nSASL PLAIN\r\n" : "", client_may_start_tls(c) ? "STLS\r\n" : "");
}

static void run_user(client *c, const char *args)
{
    if (!may_log_in(c))
        return;
    g_free(c->user);
    c->user = *args ? g_strdup(args) : NULL;
    client_printf(c, c->user ? "+OK Send the password\r\n" : "-ERR USER needs a name\r\n");
}

static void run_pass(client *c, const char *args)
{
    if (!may_log_in(c))
        return;
    if (!c->user) {
        client_printf(c, "-ERR Send USER first\r\n");
        return;
    }
    g_autofree char *user = g_steal_pointer(&c->user);
    client_login(c, user, args);
}

static void sasl_response(client *c, const char *base64)
{
    if (g_str_equal(base64, "*"))
        client_printf(c, "-ERR AUTH cancelled\r\n");
    else if (!client_login_plain(c, g_str_equal(base64, "=") ? "" : base64))
        client_printf(c, "-ERR Malformed SASL PLAIN response\r\n");
}

static void run_auth(client *c, const char *args)
{
    if (!*args) {   /* what clients ask before CAPA was known */
        client_printf(c, client_is_private(c) ? "+OK\r\nPLAIN\r\n.\r\n" : "+OK\r\n.\r\n");
        return;
    }
    if (!may_log_in(c))
        return;
    if (g_ascii_strncasecmp(args, "PLAIN", 5) != 0 || (args[5] != 0 && args[5] != ' ')) {
        client_printf(c, "-ERR Only the PLAIN mechanism is offered\r\n");
    } else if (args[5] == ' ') {
        sasl_response(c, args + 6);
    } else {
        c->sasl = true;
        client_printf(c, "+ \r\n");
    }
}

static void run_stls(client *c, const char *args)
{
    if (!client_may_start_tls(c)) {
        client_printf(c, c->ssl ? "-ERR TLS is already active\r\n" : "-ERR TLS is not available\r\n");
        return;
    }
    client_printf(c, "+OK Begin TLS negotiation now\r\n");
    g_clear_pointer(&c->user, g_free);
    c->start_tls = true;
}

static void run_quit(client *c, const char *args)
{
    client_printf(c, "+OK Logging out\r\n");
    client_close_after_flush(c);
}

/* nginx tells the client's address to back ends of this kind; ours has it from the
 * PROXY header. */
static void run_xoip(client *c, const char *args)
{
    client_printf(c, c->trusted ? "+OK\r\n" : "-ERR Unknown command\r\n");
}

static const command commands[] = {
    { "CAPA", run_capa }, { "USER", run_user }, { "PASS", run_pass }, { "AUTH", run_auth },
    { "STLS", run_stls }, { "QUIT", run_quit }, { "XOIP", run_xoip },
};

static void run_line(client *c, char *line)
{
    if (c->sasl) {
        c->sasl = false;
        sasl_response(c, line);
        return;
    }
    char *args = strchr(line, ' ');
    if (args)
        *args++ = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_ascii_strcasecmp(line, commands[i].name) == 0) {
            commands[i].run(c, args ? args : "");
            return;
        }
    client_printf(c, "-ERR Unknown command, or one that needs a login first\r\n");
}

static int input(client *c)
{
    const guint8 *lf = memchr(c->in->data, '\n', c->in->len);
    size_t len = lf ? (size_t) (lf - c->in->data) : c->in->len;
    if (len > LINE_MAX_BYTES) {
        client_printf(c, "-ERR Line too long\r\n");
        return -EMSGSIZE;
    }
    if (!lf)
        return 0;
    g_autofree char *line = g_strndup((const char *) c->in->data, len > 0 && lf[-1] == '\r' ? len - 1 : len);
    explicit_bzero(c->in->data, len);
    g_byte_array_remove_range(c->in, 0, (guint) len + 1);
    run_line(c, line);
    explicit_bzero(line, len);
    return 0;
}

const protocol pop3_protocol = { .name = "pop3", .wire = WIRE_POP3, .greet = greet, .input = input, .bye = bye, .refused = refused, .elsewhere = elsewhere };
