/* The lookup: check with zmauthd, find the mail host, answer. See lookup.h.
 *
 * nginx closes the client's connection after a refusal without Auth-Wait; with it
 * the client may try again. zmauthd already delays refusals. */
#include "agents/route/lookup.h"

#include <string.h>

#include "agents/route/header.h"
#include "lib/auth/wire.h"
#include "lib/journal/journal.h"

#define ATTEMPTS_MAX 5
#define PLAIN_MAX 900      /* nginx takes an answer of 1024 bytes in all (docs/decisions) */

struct lookup {
    const lookup_services *s;
    const header_words *words;
    char *protocol, *client_ip;
    guint64 attempt;
    uint64_t asked;          /* request id, 0: answered */
    char *name, *ticket;
    uint16_t port;
    bool done;
    GArray *headers;
    lookup_done_fn fn;
    void *data;
};

static void add(lookup *l, const char *name, const char *value)
{
    lookup_header h = { .name = name, .value = g_strdup(value) };
    g_array_append_val(l->headers, h);
}

static void finish(lookup *l)
{
    l->done = true;
    l->fn(l, l->data);
}

static void refuse(lookup *l, const char *status)
{
    g_autofree char *wait = g_strdup_printf("%u", MAX(l->s->auth_wait_sec, 1));
    add(l, "Auth-Status", status);
    if (l->attempt < ATTEMPTS_MAX)
        add(l, "Auth-Wait", wait);
    finish(l);
}

static void on_route(const char *address, const char *problem, void *data)
{
    lookup *l = data;
    if (!address) {
        journal_error("%s: %s", l->name, problem);
        refuse(l, header_unavailable(l->words));
        return;
    }
    g_autofree char *port = g_strdup_printf("%u", l->port);
    add(l, "Auth-Status", "OK");
    add(l, "Auth-Server", address);
    add(l, "Auth-Port", port);
    add(l, "Auth-User", l->name);
    add(l, "Auth-Pass", l->ticket);
    finish(l);
}

static void on_login(const auth_result *r, const char *ticket, void *data)
{
    lookup *l = data;
    l->asked = 0;
    uint16_t port = strcmp(l->protocol, "imap") == 0 ? r->imap_port : r->pop3_port;
    if (r->status == AUTH_DENIED) {
        refuse(l, header_denied(l->words));
        return;
    }
    if (r->status != AUTH_OK || !ticket || !r->mail_host || !r->route_key || !r->name || !header_is_plain(r->name) ||
        strlen(r->name) + strlen(ticket) > PLAIN_MAX || port == 0) {
        journal_warning("%s login from %s: no route: %s", l->protocol, l->client_ip,
                        r->reason ? r->reason : "zmauthd's answer is incomplete");
        refuse(l, header_unavailable(l->words));
        return;
    }
    l->name = g_strdup(r->name);
    l->ticket = g_strdup(ticket);
    l->port = port;
    finder_find(l->s->finder, l->protocol, l->name, r->mail_host, port, r->route_key, on_route, l);
}

static void start(lookup *l, const lookup_request *r)
{
    gint64 now = g_get_monotonic_time();
    g_autofree char *user = r->user ? header_unescape(r->user, auth_wire_limit(AUTH_F_USER)) : NULL;
    char *password = r->password ? header_unescape(r->password, auth_wire_limit(AUTH_F_PASSWORD)) : NULL;
    if (!r->method || strcmp(r->method, "plain") != 0) {
        journal_warning("%s login from %s refused: method %s is not offered", l->protocol, l->client_ip,
                        r->method && header_is_plain(r->method) ? r->method : "?");
        refuse(l, header_denied(l->words));
    } else if (!user || !password) {
        refuse(l, header_denied(l->words));
    } else if (!limit_take(l->s->by_ip, l->client_ip, now) || !limit_take(l->s->by_user, user, now)) {
        journal_warning("%s login from %s refused: more than the proxy's login limit", l->protocol, l->client_ip);
        refuse(l, header_limited(l->words));
    } else {
        l->asked = auth_login_ticket(l->s->auth, l->protocol, user, password, l->client_ip, on_login, l);
    }
    if (password) {
        explicit_bzero(password, strlen(password));
        g_free(password);
    }
}

lookup *lookup_new(const lookup_services *s, const lookup_request *r, lookup_done_fn done, void *data)
{
    const header_words *words = r->protocol ? header_words_of(r->protocol) : NULL;
    if (!words)
        return NULL;
    lookup *l = g_new0(lookup, 1);
    *l = (lookup) { .s = s, .words = words, .protocol = g_strdup(r->protocol),
                    .client_ip = journal_escape(r->client_ip ? r->client_ip : "", r->client_ip ? strlen(r->client_ip) : 0, 60),
                    .headers = g_array_new(FALSE, FALSE, sizeof(lookup_header)), .fn = done, .data = data };
    if (!r->attempt || !g_ascii_string_to_unsigned(r->attempt, 10, 0, G_MAXUINT32, &l->attempt, NULL))
        l->attempt = ATTEMPTS_MAX;
    start(l, r);
    return l;
}

void lookup_free(lookup *l)
{
    if (!l)
        return;
    if (l->asked)
        auth_cancel(l->s->auth, l->asked);
    for (guint i = 0; i < l->headers->len; i++)
        g_free(g_array_index(l->headers, lookup_header, i).value);
    g_array_unref(l->headers);
    g_free(l->protocol);
    g_free(l->client_ip);
    g_free(l->name);
    g_free(l->ticket);
    g_free(l);
}

bool lookup_is_done(const lookup *l)
{
    return l->done;
}

const GArray *lookup_headers(const lookup *l)
{
    return l->headers;
}
