/* This host's localconfig: where the directory is, and the passwords of the
 * identities. The first host makes them at random; a joining host gets them
 * with its answers, since nobody can read them from the directory. A password
 * that is there already stays. */
#include <sys/random.h>

#include "wizard/setup.h"

enum { PASSWORD_LEN = 32 };

static char *random_password(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char *password = g_malloc0(PASSWORD_LEN + 1);
    for (size_t i = 0; i < PASSWORD_LEN; ) {
        unsigned char byte;
        ssize_t n = getrandom(&byte, 1, 0);
        g_assert(n == 1);    /* cannot fail once the kernel has its entropy */
        if ((byte &= 63) < sizeof letters - 1)
            password[i++] = letters[byte];
    }
    return password;
}

/* What the answers say about settings; keys and values alternate. */
static GPtrArray *wanted_settings(const answers *a)
{
    g_autofree char *own_url = g_strdup_printf("ldap://%s:389", a->host_name);
    const char *url = a->directory_url ? a->directory_url : own_url;
    g_auto(GStrv) parts = g_strsplit_set(url, ":/", -1);    /* ldap, "", "", host, port */
    bool tls_port = g_str_equal(parts[0], "ldaps");
    const char *port = parts[4] && *parts[4] ? parts[4] : tls_port ? "636" : "389";
    const char *const pairs[] = {
        "zimbra_server_hostname", a->host_name,
        "ldap_host", parts[3],
        "ldap_port", port,
        "ldap_url", url,
        "ldap_master_url", url,
        "ldap_is_master", answers_is_first_host(a) ? "true" : "false",
        "ldap_starttls_supported", tls_port ? "0" : "1",
        "zimbra_require_interprocess_security", "1",
        "av_notify_user", a->admin_address,
        "av_notify_domain", a->domain_name,
    };
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i += 2) {
        if (!pairs[i + 1])
            continue;
        g_ptr_array_add(list, g_strdup(pairs[i]));
        g_ptr_array_add(list, g_strdup(pairs[i + 1]));
    }
    return list;
}

/* This host's alone: what an SNMP manager logs in with, whether or not the service
 * is enabled already. */
static const char *const host_secrets[] = { "snmp_v3_auth_password", "snmp_v3_priv_password" };

static bool host_secrets_are_there(localconfig *lc)
{
    for (size_t i = 0; i < G_N_ELEMENTS(host_secrets); i++)
        if (!*localconfig_get_or(lc, host_secrets[i], ""))
            return false;
    return true;
}

bool secrets_are_there(setup *s)
{
    g_autoptr(GPtrArray) wanted = wanted_settings(s->answers);
    if (!host_secrets_are_there(s->lc))
        return false;
    for (guint i = 0; i < wanted->len; i += 2)
        if (g_strcmp0(localconfig_get(s->lc, wanted->pdata[i]), wanted->pdata[i + 1]) != 0)
            return false;
    for (size_t i = 0; answers_shared_secrets[i]; i++) {
        const char *key = answers_shared_secrets[i], *have = localconfig_get_or(s->lc, key, "");
        const char *given = g_hash_table_lookup(s->answers->secrets, key);
        if (given ? !g_str_equal(have, given) : answers_is_first_host(s->answers) && !*have)
            return false;
    }
    return !answers_is_first_host(s->answers) || *localconfig_get_or(s->lc, "ldap_root_password", "") != '\0';
}

static void set_missing(localconfig *lc, const char *key)
{
    if (*localconfig_get_or(lc, key, ""))
        return;
    g_autofree char *password = random_password();
    localconfig_set(lc, key, password);
}

bool secrets_make(setup *s, GError **error)
{
    g_autoptr(GPtrArray) wanted = wanted_settings(s->answers);
    for (guint i = 0; i < wanted->len; i += 2)
        localconfig_set(s->lc, wanted->pdata[i], wanted->pdata[i + 1]);
    bool first = answers_is_first_host(s->answers);
    if (first)
        set_missing(s->lc, "ldap_root_password");
    for (size_t i = 0; i < G_N_ELEMENTS(host_secrets); i++)
        set_missing(s->lc, host_secrets[i]);
    for (size_t i = 0; answers_shared_secrets[i]; i++) {
        const char *key = answers_shared_secrets[i], *given = g_hash_table_lookup(s->answers->secrets, key);
        if (given)
            localconfig_set(s->lc, key, given);
        else if (first)
            set_missing(s->lc, key);
    }
    return localconfig_save(s->lc, error);
}
