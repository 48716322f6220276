/* The connection to slapd: opening (TLS, bind), one operation, once again after
 * a lost connection.
 *
 * A second try of a write may meet its own first one, whose answer got lost:
 * "exists already" and its like then mean success. Operations that ran into the
 * time limit are not repeated; the connection is dropped, since a late answer
 * could still come. libldap's own files (ldap.conf, .ldaprc, LDAP* variables)
 * must not decide how we verify a server: all that matters is set here. It also
 * writes to sockets without MSG_NOSIGNAL: SIGPIPE is kept from the process while
 * it works. */
#include <signal.h>
#include <sys/time.h>

#include "lib/directory/private.h"

#define PAGE_SIZE 500

struct operation {
    const char *what, *dn;
    int (*run)(directory *d, void *args);
    void *args;
    int already[2];             /* results of a second try that mean done; 0: none */
};

static bool connect_and_bind(directory *d, GError **error);

/* ---- SIGPIPE ---- */

struct quiet { sigset_t before; bool pending; };

static void quiet_begin(struct quiet *q)
{
    sigset_t pipe, waiting;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    q->pending = sigismember(&waiting, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &q->before);
}

static void quiet_end(const struct quiet *q)
{
    static const struct timespec at_once = { 0, 0 };
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!q->pending)
        while (sigtimedwait(&pipe, NULL, &at_once) == SIGPIPE)
            ;
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

/* ---- one operation ---- */

static void drop(directory *d)
{
    if (d->ld)
        ldap_unbind_ext(d->ld, NULL, NULL);
    d->ld = NULL;
}

static bool try_twice(directory *d, const struct operation *op, GError **error)
{
    bool second = false;
    if (!d->ld && !connect_and_bind(d, error))
        return false;
    int rc = op->run(d, op->args);
    if (directory_connection_lost(rc)) {
        drop(d);
        if (!connect_and_bind(d, error))
            return false;
        second = true;
        rc = op->run(d, op->args);
    }
    if (rc == LDAP_SUCCESS || (second && (rc == op->already[0] || rc == op->already[1])))
        return true;
    directory_fail_ldap(d, rc, op->what, op->dn, error);
    if (rc == LDAP_TIMEOUT || directory_connection_lost(rc))
        drop(d);
    return false;
}

static bool perform(directory *d, const struct operation *op, GError **error)
{
    struct quiet q;
    quiet_begin(&q);
    bool ok = try_twice(d, op, error);
    quiet_end(&q);
    return ok;
}

/* ---- opening ---- */

static void set_time_limits(directory *d)
{
    struct timeval connect = { .tv_sec = d->connect_ms / 1000, .tv_usec = (d->connect_ms % 1000) * 1000 };
    struct timeval read = { .tv_sec = d->read_ms / 1000, .tv_usec = (d->read_ms % 1000) * 1000 };
    if (d->connect_ms > 0)
        ldap_set_option(d->ld, LDAP_OPT_NETWORK_TIMEOUT, &connect);
    if (d->read_ms > 0)
        ldap_set_option(d->ld, LDAP_OPT_TIMEOUT, &read);
}

static bool set_tls(directory *d)
{
    int require = d->verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_ALLOW, client = 0;
    return ldap_set_option(d->ld, LDAP_OPT_X_TLS_CACERTFILE, d->ca_file) == LDAP_OPT_SUCCESS &&
           ldap_set_option(d->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require) == LDAP_OPT_SUCCESS &&
           ldap_set_option(d->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
}

static bool is_scheme(const directory *d, const char *scheme)
{
    return g_ascii_strncasecmp(d->url, scheme, strlen(scheme)) == 0;
}

static int bind_now(directory *d)
{
    if (!d->bind_dn && is_scheme(d, "ldapi:")) {
        struct berval identity = { .bv_len = 0, .bv_val = (char[]) { 0 } };
        return ldap_sasl_bind_s(d->ld, NULL, "EXTERNAL", &identity, NULL, NULL, NULL);
    }
    struct berval password = { .bv_len = d->password ? strlen(d->password) : 0, .bv_val = d->password };
    return ldap_sasl_bind_s(d->ld, d->bind_dn ? d->bind_dn : "", LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL);
}

/* A bind with a name and no password is an anonymous one that succeeds. */
static bool has_password(const directory *d, GError **error)
{
    return !d->bind_dn || (d->password && *d->password) ||
           directory_fail(error, DIRECTORY_ERROR_DENIED, NULL,
                          "no password for %s: set zimbra_ldap_password with zmlocalconfig -f -e", d->bind_dn);
}

static bool fail_and_drop(directory *d, int rc, const char *what, const char *dn, GError **error)
{
    directory_fail_ldap(d, rc, what, dn, error);
    drop(d);
    return false;
}

/* GnuTLS does not say what is wrong with a certificate. */
static bool fail_tls(directory *d, int rc, GError **error)
{
    g_autoptr(GError) reason = NULL;
    fail_and_drop(d, rc, "start TLS", NULL, &reason);
    if (rc == LDAP_SERVER_DOWN)
        return directory_fail(error, DIRECTORY_ERROR_UNAVAILABLE, NULL,
                              "%s; does the directory run (zimbra-ldap.service on its host)?", reason->message);
    return directory_fail(error, DIRECTORY_ERROR_UNAVAILABLE, NULL,
                          "%s; does its certificate have this name, and is it signed by %s?", reason->message,
                          d->ca_file);
}

static bool connect_and_bind(directory *d, GError **error)
{
    int version = LDAP_VERSION3, rc = ldap_initialize(&d->ld, d->url);
    if (rc != LDAP_SUCCESS)
        return fail_and_drop(d, rc, "use the URL", NULL, error);
    ldap_set_option(d->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(d->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(d->ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
    set_time_limits(d);
    bool starttls = d->starttls && is_scheme(d, "ldap:");
    if ((starttls || is_scheme(d, "ldaps:")) && !set_tls(d)) {
        directory_fail(error, DIRECTORY_ERROR_FAILED, NULL, "cannot use TLS to %s: is the CA certificate %s readable?",
                       d->url, d->ca_file);
        drop(d);
        return false;
    }
    if (starttls && (rc = ldap_start_tls_s(d->ld, NULL, NULL)) != LDAP_SUCCESS)
        return fail_tls(d, rc, error);
    rc = bind_now(d);
    if (rc != LDAP_SUCCESS)
        return fail_and_drop(d, rc, "bind as", d->bind_dn ? d->bind_dn : "EXTERNAL", error);
    return true;
}

static directory *new_handle(localconfig *lc, const char *url, const char *bind_dn, const char *password)
{
    directory *d = g_new0(directory, 1);
    d->url = g_strdup(url);
    d->bind_dn = g_strdup(bind_dn);
    d->password = g_strdup(password);
    d->ca_file = g_strdup(localconfig_get_or(lc, "ssl_ca_certificate", ""));
    d->host = g_strdup(localconfig_get_or(lc, "zimbra_server_hostname", "localhost"));
    d->starttls = localconfig_get_bool(lc, "ldap_starttls_supported", false);
    d->verify = !localconfig_get_bool(lc, "ssl_allow_untrusted_certs", false);
    d->connect_ms = localconfig_get_int(lc, "ldap_connect_timeout", 30000);
    d->read_ms = localconfig_get_int(lc, "ldap_read_timeout", 30000);
    return d;
}

directory *directory_open_as(localconfig *lc, const char *url, const char *bind_dn, const char *password,
                             GError **error)
{
    g_autoptr(directory) d = new_handle(lc, url, bind_dn, password);
    if (!has_password(d, error))
        return NULL;
    struct quiet q;
    quiet_begin(&q);
    bool ok = connect_and_bind(d, error);
    quiet_end(&q);
    return ok ? g_steal_pointer(&d) : NULL;
}

static char *url_of(localconfig *lc, directory_mode mode)
{
    static const char *const keys[] = { "ldap_master_url", "ldap_url" };
    for (size_t i = mode == DIRECTORY_WRITE ? 0 : 1; i < G_N_ELEMENTS(keys); i++) {
        const char *url = localconfig_get_or(lc, keys[i], "");
        if (*url)
            return g_strdup(url);
    }
    const char *host = localconfig_get_or(lc, "ldap_host", ""), *port = localconfig_get_or(lc, "ldap_port", "");
    return *host ? g_strdup_printf("ldap://%s:%s", host, *port ? port : "389") : NULL;
}

directory *directory_open(localconfig *lc, directory_mode mode, GError **error)
{
    g_autofree char *url = url_of(lc, mode);
    if (!url) {
        directory_fail(error, DIRECTORY_ERROR_UNAVAILABLE, NULL,
                       "no directory is named in %s: set ldap_url with zmlocalconfig -e", localconfig_path(lc));
        return NULL;
    }
    return directory_open_as(lc, url, localconfig_get(lc, "zimbra_ldap_userdn"),
                             localconfig_get(lc, "zimbra_ldap_password"), error);
}

void directory_close(directory *d)
{
    if (!d)
        return;
    struct quiet q;
    quiet_begin(&q);
    drop(d);
    quiet_end(&q);
    directory_flush(d);
    g_clear_pointer(&d->cache, g_hash_table_unref);
    g_free(d->url);
    g_free(d->bind_dn);
    if (d->password)
        explicit_bzero(d->password, strlen(d->password));
    g_free(d->password);
    g_free(d->ca_file);
    g_free(d->host);
    g_free(d);
}

/* ---- operations ---- */

struct search_args {
    const char *base, *filter;
    int scope;
    const char *const *attrs;
    struct berval *cookie;
    GPtrArray *ret;
};

/* The cookie of the next page, empty after the last. */
static void next_cookie(LDAP *ld, LDAPMessage *result, struct berval *cookie)
{
    LDAPControl **controls = NULL;
    ber_int_t estimate = 0;
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval) { 0, NULL };
    if (ldap_parse_result(ld, result, NULL, NULL, NULL, NULL, &controls, 0) != LDAP_SUCCESS || !controls)
        return;
    LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    if (page)
        ldap_parse_pageresponse_control(ld, page, &estimate, cookie);
    ldap_controls_free(controls);
}

static int run_search(directory *d, void *args)
{
    struct search_args *a = args;
    LDAPControl *page = NULL;
    int rc = LDAP_SUCCESS;
    if (a->cookie)
        rc = ldap_create_page_control(d->ld, PAGE_SIZE, a->cookie, 1, &page);
    if (rc != LDAP_SUCCESS)
        return rc;
    LDAPControl *controls[] = { page, NULL };
    LDAPMessage *result = NULL;
    rc = ldap_search_ext_s(d->ld, a->base, a->scope, a->filter, (char **) a->attrs, 0, page ? controls : NULL, NULL,
                           NULL, LDAP_NO_LIMIT, &result);
    if (page)
        ldap_control_free(page);
    for (LDAPMessage *m = rc == LDAP_SUCCESS ? ldap_first_entry(d->ld, result) : NULL; m; m = ldap_next_entry(d->ld, m))
        g_ptr_array_add(a->ret, entry_from_message(d->ld, m));
    if (a->cookie && rc == LDAP_SUCCESS)
        next_cookie(d->ld, result, a->cookie);
    ldap_msgfree(result);
    return rc;
}

bool directory_ldap_search(directory *d, const char *base, int scope, const char *filter, const char *const *attrs,
                           struct berval *cookie, GPtrArray *ret, GError **error)
{
    struct search_args args = { base, filter, scope, attrs, cookie, ret };
    g_autofree char *what = g_strdup_printf("search %.200s below", filter);
    const struct operation op = { .what = what, .dn = *base ? base : "the root", .run = run_search, .args = &args };
    return perform(d, &op, error);
}

struct write_args { const char *dn, *rdn, *parent; LDAPMod **mods; const char *password; };

static int run_add(directory *d, void *args)
{
    const struct write_args *a = args;
    return ldap_add_ext_s(d->ld, a->dn, a->mods, NULL, NULL);
}

static int run_modify(directory *d, void *args)
{
    const struct write_args *a = args;
    return ldap_modify_ext_s(d->ld, a->dn, a->mods, NULL, NULL);
}

static int run_delete(directory *d, void *args)
{
    const struct write_args *a = args;
    return ldap_delete_ext_s(d->ld, a->dn, NULL, NULL);
}

static int run_rename(directory *d, void *args)
{
    const struct write_args *a = args;
    return ldap_rename_s(d->ld, a->dn, a->rdn, a->parent, 1, NULL, NULL);
}

static int run_password(directory *d, void *args)
{
    const struct write_args *a = args;
    struct berval dn = { .bv_len = strlen(a->dn), .bv_val = (char *) a->dn };
    struct berval password = { .bv_len = strlen(a->password), .bv_val = (char *) a->password };
    struct berval generated = { 0, NULL };
    int rc = ldap_passwd_s(d->ld, &dn, NULL, &password, &generated, NULL, NULL);
    ber_memfree(generated.bv_val);
    return rc;
}

static bool write_to(directory *d, const char *what, int (*run)(directory *, void *), struct write_args *args,
                     int already, int already_too, GError **error)
{
    const struct operation op = {
        .what = what, .dn = args->dn, .run = run, .args = args, .already = { already, already_too }
    };
    directory_flush(d);
    return perform(d, &op, error);
}

bool directory_ldap_add(directory *d, const char *dn, LDAPMod **mods, GError **error)
{
    struct write_args args = { .dn = dn, .mods = mods };
    return write_to(d, "create", run_add, &args, LDAP_ALREADY_EXISTS, LDAP_ALREADY_EXISTS, error);
}

bool directory_ldap_modify(directory *d, const char *dn, LDAPMod **mods, GError **error)
{
    struct write_args args = { .dn = dn, .mods = mods };
    return write_to(d, "change", run_modify, &args, LDAP_TYPE_OR_VALUE_EXISTS, LDAP_NO_SUCH_ATTRIBUTE, error);
}

bool directory_ldap_delete(directory *d, const char *dn, GError **error)
{
    struct write_args args = { .dn = dn };
    return write_to(d, "delete", run_delete, &args, LDAP_NO_SUCH_OBJECT, LDAP_NO_SUCH_OBJECT, error);
}

bool directory_ldap_rename(directory *d, const char *dn, const char *rdn, const char *parent, GError **error)
{
    struct write_args args = { .dn = dn, .rdn = rdn, .parent = parent };
    return write_to(d, "rename", run_rename, &args, LDAP_NO_SUCH_OBJECT, LDAP_NO_SUCH_OBJECT, error);
}

bool directory_ldap_password(directory *d, const char *dn, const char *password, GError **error)
{
    struct write_args args = { .dn = dn, .password = password };
    return write_to(d, "set the password of", run_password, &args, LDAP_SUCCESS, LDAP_SUCCESS, error);
}
