/* The watch against a scripted server (RFC 4511 by liblber): what it asks for, and
 * what it tells after delete and present phases, refreshRequired, and a server that
 * knows less than it did. One scripted session after the other on one port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <lber.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "configd/sync.h"
#include "configd/watch.h"

#define CSN(n) "2026010100000" #n ".000000Z#000000#000#000000"
#define COOKIE(n) "rid=001,csn=" CSN(n)
#define CONFIG_DN "cn=config,cn=zimbra"

typedef struct {
    const char *context;      /* the server's contextCSN */
    const char *asked;        /* the cookie that must be asked from */
    int code;                 /* result that ends the sync before its refresh; 0: it goes on */
    const char *entry;        /* changed while away: its cookie */
    const char *info;         /* value of the Sync Info message that ends the refresh */
    const char *later;        /* a change after the refresh: its cookie */
    const char *told;         /* what must be told: C changed, G gap, U up, D down */
} session;

static const session script[] = {
    /* no cookie yet: from the present state, and callers know nothing */
    { CSN(5), COOKIE(5), 0, NULL, "\xa1", COOKIE(6), "UGC" },
    /* a cookie, delete phase: all is named, no gap */
    { CSN(7), COOKIE(6), 0, COOKIE(7), "\xa1", NULL, "DCU" },
    /* present phase: what is gone was not named */
    { CSN(8), COOKIE(6), 0, COOKIE(8), "\xa2", COOKIE(8), "DCUGC" },
    /* refreshRequired (RFC 4533 §2.6): from nothing */
    { CSN(8), COOKIE(8), 4096, NULL, NULL, NULL, "D" },
    { CSN(8), COOKIE(8), 0, NULL, "\xa1", COOKIE(9), "UGC" },
    /* a restored backup: older than the cookie */
    { CSN(3), COOKIE(3), 0, NULL, "\xa1", COOKIE(4), "DUGC" },
};

typedef struct {
    int listener;
    size_t at;                /* session */
    GString *asked[G_N_ELEMENTS(script)];
} server;

/* ---- the server ---- */

static void put(Sockbuf *sb, BerElement *ber)
{
    assert_int_equal(ber_flush2(sb, ber, LBER_FLUSH_FREE_ALWAYS), 0);
}

static void put_result(Sockbuf *sb, ber_int_t id, ber_tag_t tag, int code)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    ber_printf(ber, "{it{ess}}", id, tag, code, "", "");
    put(sb, ber);
}

static void put_context(Sockbuf *sb, ber_int_t id, const char *csn)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    ber_printf(ber, "{it{s{{s[s]}}}}", id, (ber_tag_t) 0x64, "", "contextCSN", csn);
    put(sb, ber);
    put_result(sb, id, 0x65, 0);
}

static void put_entry(Sockbuf *sb, ber_int_t id, const char *cookie)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER), *state = ber_alloc_t(LBER_USE_DER);
    struct berval value;
    ber_printf(state, "{eos}", SYNC_MODIFY, "0123456789abcdef", (ber_len_t) 16, cookie);
    ber_flatten2(state, &value, 0);
    ber_printf(ber, "{it{s{}}t{{sO}}}", id, (ber_tag_t) 0x64, CONFIG_DN, (ber_tag_t) 0xa0, SYNC_STATE_OID, &value);
    ber_free(state, 1);
    put(sb, ber);
}

static void put_refreshed(Sockbuf *sb, ber_int_t id, const char *tag)
{
    char bytes[2] = { tag[0], 0 };        /* refreshDelete or refreshPresent, all defaults: done */
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    ber_printf(ber, "{it{tsto}}", id, (ber_tag_t) 0x79, (ber_tag_t) 0x80, SYNC_INFO_OID, (ber_tag_t) 0x81, bytes, (ber_len_t) 2);
    put(sb, ber);
}

/* The cookie of a sync request, found by its "rid="; the request is not parsed. */
static const char *cookie_in(const char *bytes, size_t len)
{
    for (size_t i = 0; i + 4 < len; i++)
        if (!memcmp(bytes + i, "rid=", 4))
            return bytes + i;
    return NULL;
}

/* False: the session is over. */
static bool answer(server *s, Sockbuf *sb, BerElement *ber, const session *now)
{
    ber_int_t id;
    ber_len_t len;
    struct berval rest;
    if (ber_scanf(ber, "i", &id) == LBER_ERROR)
        return false;
    ber_tag_t tag = ber_peek_tag(ber, &len);
    if (tag == 0x60) {
        put_result(sb, id, 0x61, 0);
        return true;
    }
    if (tag != 0x63)
        return tag != 0x42;               /* unbind */
    ber_get_option(ber, LBER_OPT_BER_REMAINING_BYTES, &len);
    g_autofree char *bytes = g_malloc0(len + 1);
    ber_read(ber, bytes, len);
    rest = (struct berval) { .bv_val = bytes, .bv_len = len };
    const char *cookie = cookie_in(rest.bv_val, rest.bv_len);
    if (!cookie) {
        put_context(sb, id, now->context);
        return true;
    }
    g_string_assign(s->asked[s->at], cookie);
    if (now->code) {
        put_result(sb, id, 0x65, now->code);
        return false;
    }
    if (now->entry)
        put_entry(sb, id, now->entry);
    put_refreshed(sb, id, now->info);
    if (now->later)
        put_entry(sb, id, now->later);
    return false;
}

static void *serve(void *data)
{
    server *s = data;
    for (; s->at < G_N_ELEMENTS(script); s->at++) {
        int fd = accept(s->listener, NULL, NULL);
        Sockbuf *sb = ber_sockbuf_alloc();
        ber_sockbuf_add_io(sb, &ber_sockbuf_io_tcp, LBER_SBIOD_LEVEL_PROVIDER, &fd);
        for (bool more = true; more;) {
            BerElement *ber = ber_alloc_t(LBER_USE_DER);
            ber_len_t len;
            more = ber_get_next(sb, &len, ber) != LBER_ERROR && answer(s, sb, ber, &script[s->at]);
            ber_free(ber, 1);
        }
        g_usleep(200 * 1000);             /* what was sent is read before the connection ends */
        ber_sockbuf_free(sb);
    }
    return NULL;
}

/* ---- the client ---- */

typedef struct { GString *told; } listener;

static void on_changed(const char *csn, const char *dn, bool config, void *data)
{
    assert_string_equal(dn, CONFIG_DN);
    assert_true(config);
    assert_non_null(csn);
    g_string_append_c(((listener *) data)->told, 'C');
}

static void on_gap(void *data)
{
    g_string_append_c(((listener *) data)->told, 'G');
}

static void on_state(const char *reason, void *data)
{
    GString *told = ((listener *) data)->told;
    char c = reason ? 'D' : 'U';
    if (c != 'D' || !told->len || told->str[told->len - 1] != 'D')     /* refused connections say so again */
        g_string_append_c(told, c);
}

static void server_listen(server *s, char *localconfig)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *) &address, len), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *) &address, &len), 0);
    g_autofree char *text = g_strdup_printf("<localconfig><key name=\"ldap_url\"><value>ldap://127.0.0.1:%u</value></key>"
                                            "<key name=\"ldap_starttls_supported\"><value>0</value></key></localconfig>\n", ntohs(address.sin_port));
    assert_true(g_file_set_contents(localconfig, text, -1, NULL));
}

static void follows_the_script(void **state)
{
    static const watch_callbacks callbacks = { .changed = on_changed, .gap = on_gap, .state = on_state };
    g_autofree char *folder = g_dir_make_tmp("watch-XXXXXX", NULL);
    g_autofree char *localconfig = g_build_filename(folder, "localconfig.xml", NULL), *cookie = g_build_filename(folder, "cookie", NULL);
    g_autoptr(GString) told = g_string_new(NULL), expected = g_string_new(NULL);
    server s = { 0 };
    listener ear = { .told = told };
    sd_event *event = NULL;
    pthread_t thread;

    server_listen(&s, localconfig);
    for (size_t i = 0; i < G_N_ELEMENTS(script); i++) {
        s.asked[i] = g_string_new(NULL);
        g_string_append(expected, script[i].told);
    }
    g_string_append_c(expected, 'D');
    assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
    assert_true(sd_event_new(&event) >= 0);
    watch *w = watch_new(event, localconfig, cookie, &callbacks, &ear, NULL);
    assert_non_null(w);
    for (gint64 end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC; told->len < expected->len && g_get_monotonic_time() < end;)
        (void) sd_event_run(event, 100000);
    pthread_join(thread, NULL);
    close(s.listener);
    watch_free(w);
    assert_string_equal(told->str, expected->str);
    for (size_t i = 0; i < G_N_ELEMENTS(script); i++) {
        assert_string_equal(s.asked[i]->str, script[i].asked);
        g_string_free(s.asked[i], TRUE);
    }
    g_autofree char *kept = NULL;
    assert_true(g_file_get_contents(cookie, &kept, NULL, NULL));     /* for the next start */
    assert_string_equal(kept, COOKIE(4));
    sd_event_unref(event);
    unlink(cookie);
    unlink(localconfig);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(follows_the_script) };
    return cmocka_run_group_tests_name("configd-watch", tests, NULL, NULL);
}
