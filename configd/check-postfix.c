/* check:postfix. "postfix check" accepts a restriction that does not exist; the
 * running smtpd then answers every RCPT with 451. So three questions are asked:
 * unknown parameters (postconf's warnings), unknown names in every restriction
 * list of main.cf and master.cf, and, while Postfix runs, one dialogue with an
 * smtpd on the candidate. That smtpd runs as the mail owner, which switches
 * access control on in its stand-alone mode (sendmail(1), -bs), and believes in
 * no trusted network, so that no early permit hides what follows. */
#include "configd/validate.h"

#include <string.h>
#include <unistd.h>

#include "configd/command.h"

#define POSTCONF "/usr/sbin/postconf"
#define SMTPD "/usr/lib/postfix/sbin/smtpd"
#define CONFIGURATION_ERROR "4.3.5"

/* Restrictions of Postfix 3.7 (postconf(5), access control); those that take an
 * argument have it as the next word. */
static const char *const plain[] = {
    "check_relay_domains", "defer", "defer_if_permit", "defer_if_reject", "defer_unauth_destination", "permit",
    "permit_auth_destination", "permit_inet_interfaces", "permit_mx_backup", "permit_mynetworks",
    "permit_naked_ip_address", "permit_sasl_authenticated", "permit_tls_all_clientcerts",
    "permit_tls_clientcerts", "reject", "reject_authenticated_sender_login_mismatch",
    "reject_invalid_helo_hostname", "reject_invalid_hostname", "reject_known_sender_login_mismatch",
    "reject_maps_rbl", "reject_multi_recipient_bounce", "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_hostname", "reject_non_fqdn_recipient", "reject_non_fqdn_sender",
    "reject_plaintext_session", "reject_sender_login_mismatch", "reject_unauth_destination",
    "reject_unauth_pipelining", "reject_unauthenticated_sender_login_mismatch", "reject_unknown_address",
    "reject_unknown_client", "reject_unknown_client_hostname", "reject_unknown_forward_client_hostname",
    "reject_unknown_helo_hostname", "reject_unknown_hostname", "reject_unknown_recipient_domain",
    "reject_unknown_reverse_client_hostname", "reject_unknown_sender_domain", "reject_unlisted_recipient",
    "reject_unlisted_sender", "reject_unverified_recipient", "reject_unverified_sender", "warn_if_reject", NULL,
};
static const char *const with_argument[] = {
    "check_ccert_access", "check_client_a_access", "check_client_access", "check_client_mx_access",
    "check_client_ns_access", "check_etrn_access", "check_helo_a_access", "check_helo_access",
    "check_helo_mx_access", "check_helo_ns_access", "check_policy_service", "check_recipient_a_access",
    "check_recipient_access", "check_recipient_maps", "check_recipient_mx_access",
    "check_recipient_ns_access", "check_reverse_client_hostname_a_access",
    "check_reverse_client_hostname_access", "check_reverse_client_hostname_mx_access",
    "check_reverse_client_hostname_ns_access", "check_sasl_access", "check_sender_a_access",
    "check_sender_access", "check_sender_mx_access", "check_sender_ns_access", "permit_dnswl_client",
    "permit_rhswl_client", "reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_helo",
    "reject_rhsbl_recipient", "reject_rhsbl_reverse_client", "reject_rhsbl_sender", "sleep", NULL,
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, VALIDATE_ERROR, 0, "postfix: %s", text);
    return false;
}

static bool ask(const candidate *c, char **argv, const char *user, const char *input, command_result *r, GError **error)
{
    g_autofree char *mail_config = g_strconcat("MAIL_CONFIG=", c->candidate, NULL);
    char *envp[] = { mail_config, (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C", NULL };
    command cmd = { .argv = argv, .envp = envp, .user = user, .input = input, .timeout_s = c->folder->validate_timeout_s };
    if (!command_run(&cmd, r, error))
        return false;
    return !r->timed_out || refuse(error, "%s gave no answer in %u s", argv[0], cmd.timeout_s);
}

/* What postconf prints with OPTIONS on the candidate. */
static char *postconf(const candidate *c, const char *option, const char *names, GError **error)
{
    char *argv[] = { (char *) POSTCONF, (char *) "-c", c->candidate, (char *) option, (char *) names, NULL };
    g_auto(command_result) r = { 0 };
    if (!ask(c, argv, NULL, NULL, &r, error))
        return NULL;
    if (r.status != 0 || *r.err) {
        g_autofree char *words = g_strdelimit(g_strstrip(g_strdup(r.err)), "\n", ';');
        refuse(error, "%s", words);
        return NULL;
    }
    return g_steal_pointer(&r.out);
}

/* Each word of a restriction list is a restriction, an argument of one, a table,
 * or a class the administrator declared. */
static bool known_restrictions(const char *parameter, const char *value, char **classes, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(value, " ,\t", -1);
    bool argument = false;
    int depth = 0;

    for (char **w = words; *w; w++) {
        if (!**w)
            continue;
        bool inside = depth > 0;
        for (const char *p = *w; *p; p++)
            depth += *p == '{' ? 1 : *p == '}' ? -1 : 0;
        if (inside || **w == '{') {
            argument = false;
            continue;                        /* { … } is an argument or a policy service */
        }
        if (argument) {
            argument = false;
            continue;
        }
        if (g_strv_contains(with_argument, *w)) {
            argument = true;
            continue;
        }
        bool reply = g_ascii_isdigit(**w);    /* "permit_rbl_client x, 554 text" */
        if (!reply && !strchr(*w, ':') && **w != '$' && !g_strv_contains(plain, *w) &&
            !g_strv_contains((const char *const *) classes, *w))
            return refuse(error, "%s: unknown restriction \"%s\"", parameter, *w);
    }
    return !argument || refuse(error, "%s: the last restriction lacks its argument", parameter);
}

static bool check_lists(const char *listing, char **classes, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(listing, "\n", -1);
    for (char **l = lines; *l; l++) {
        char *equal = strstr(*l, " = ");
        if (!equal)
            continue;
        *equal = 0;
        const char *name = strrchr(*l, '/') ? strrchr(*l, '/') + 1 : *l;
        if (g_str_has_prefix(name, "smtpd_") && g_str_has_suffix(name, "_restrictions") &&
            !known_restrictions(*l, equal + 3, classes, error))
            return false;
    }
    return true;
}

static char **declared_classes(const candidate *c, GError **error)
{
    char *argv[] = { (char *) POSTCONF, (char *) "-c", c->candidate, (char *) "-xh", (char *) "smtpd_restriction_classes", NULL };
    g_auto(command_result) r = { 0 };
    return ask(c, argv, NULL, NULL, &r, error) ? g_strsplit_set(r.out, " ,\t\n", -1) : NULL;
}

static bool is_running(const candidate *c)
{
    char *argv[] = { (char *) POSTCONF, (char *) "-c", c->candidate, (char *) "-xh", (char *) "queue_directory", NULL };
    g_auto(command_result) r = { 0 };
    if (!ask(c, argv, NULL, NULL, &r, NULL))
        return false;
    g_autofree char *socket = g_build_filename(g_strstrip(r.out), "private/rewrite", NULL);
    return access(socket, F_OK) == 0;
}

/* One question to an smtpd on the candidate. */
static bool dialogue(const candidate *c, GError **error)
{
    static const char words[] = "HELO configd.invalid\r\nMAIL FROM:<>\r\n"
                                "RCPT TO:<configuration-check@configd.invalid>\r\nQUIT\r\n";
    char *owner[] = { (char *) POSTCONF, (char *) "-c", c->candidate, (char *) "-xh", (char *) "mail_owner", NULL };
    char *smtpd[] = {
        (char *) SMTPD, (char *) "-S", (char *) "-o", (char *) "mynetworks=192.0.2.1/32",
        (char *) "-o", (char *) "smtpd_forbid_unauth_pipelining=no", (char *) "-o", (char *) "smtpd_helo_required=no", NULL,
    };
    g_auto(command_result) user = { 0 }, r = { 0 };

    if (!ask(c, owner, NULL, NULL, &user, error) || !ask(c, smtpd, g_strstrip(user.out), words, &r, error))
        return false;
    if (!g_str_has_prefix(r.out, "220 "))
        return refuse(error, "an smtpd on the candidate does not greet: %.200s", *r.out ? r.out : "no output");
    g_auto(GStrv) lines = g_strsplit(r.out, "\r\n", -1);
    for (char **l = lines; *l; l++)
        if (strstr(*l, " " CONFIGURATION_ERROR " "))
            return refuse(error, "an smtpd on the candidate answers \"%s\" (its log line names the parameter)", *l);
    return true;
}

bool check_postfix(const candidate *c, char **args, GError **error)
{
    g_autofree char *main_cf = postconf(c, "-nx", NULL, error);
    g_autofree char *master_cf = main_cf ? postconf(c, "-Px", NULL, error) : NULL;
    g_auto(GStrv) classes = master_cf ? declared_classes(c, error) : NULL;

    if (!classes || !check_lists(main_cf, classes, error) || !check_lists(master_cf, classes, error))
        return false;
    return !is_running(c) || dialogue(c, error);
}
