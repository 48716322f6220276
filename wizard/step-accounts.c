/* First domain, administrator, and the accounts that programs use.
 *
 * What exists stays: a joining host names the same domain and administrator
 * again and changes neither. */
#include <sys/random.h>

#include "wizard/changes.h"
#include "wizard/setup.h"

/* OBJECT: what a look-up gave; false with ERROR set when it failed for another
 * reason than that there is none. */
static bool found_or_none(entry *object, GError *reason, GError **error)
{
    if (object || g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH)) {
        g_clear_error(&reason);
        return true;
    }
    g_propagate_error(error, reason);
    return false;
}

static bool set_global(directory *dir, const char *attr, const char *value, GError **error)
{
    g_autoptr(entry) config = directory_global_config(dir, error);
    g_autoptr(GArray) c = changes_new();
    changes_add(c, attr, value);
    return config && directory_modify(dir, config, changes_list(c), c->len, error);
}

/* ---- domain ---- */

bool domain_given(const answers *a)
{
    return a->domain_name != NULL;
}

/* Creating what exists completes it, should its maker have been cut short. */
static bool create_domain(directory *dir, const char *name, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(entry) domain = directory_create_domain(dir, name, NULL, 0, &reason);
    if (domain || g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_EXISTS))
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

bool domain_make(setup *s, GError **error)
{
    const char *name = s->answers->domain_name;
    directory *dir = setup_directory(s, error);
    if (!dir || !create_domain(dir, name, error))
        return false;
    g_autoptr(entry) config = directory_global_config(dir, error);
    if (!config)
        return false;
    return entry_get(config, "zimbraDefaultDomainName") != NULL ||
           set_global(dir, "zimbraDefaultDomainName", name, error);
}

/* ---- administrator ---- */

bool admin_given(const answers *a)
{
    return a->admin_address != NULL;
}

/* Mail that RFC 5321 §4.5.1 and the host's own programs send somewhere. */
static bool add_aliases(directory *dir, entry *admin, const char *domain, GError **error)
{
    static const char *const names[] = { "postmaster", "root" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *alias = g_strdup_printf("%s@%s", names[i], domain);
        g_autoptr(GError) reason = NULL;
        if (!g_str_equal(alias, entry_name(admin)) && !directory_add_alias(dir, admin, alias, &reason) &&
            !g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_EXISTS)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return false;
        }
    }
    return true;
}

/* A run cut short between entry and password left an account nobody can log in
 * to: on the first host the password is always set. */
static bool keep_admin(setup *s, directory *dir, entry *admin, GError **error)
{
    g_autoptr(GArray) c = changes_new();
    changes_add(c, "zimbraIsAdminAccount", "TRUE");
    if (!directory_modify(dir, admin, changes_list(c), c->len, error))
        return false;
    return !answers_is_first_host(s->answers) ||
           directory_set_password(dir, admin, s->answers->admin_password, error);
}

static entry *create_admin(directory *dir, const answers *a, GError **error)
{
    g_autoptr(GArray) c = changes_new();
    changes_add(c, "zimbraIsAdminAccount", "TRUE");
    changes_add(c, "description", "Administrative account");
    if (!a->admin_password) {
        g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "%s does not exist: [admin] password is needed to make it",
                    a->admin_address);
        return NULL;
    }
    return directory_create_account(dir, a->admin_address, a->admin_password, changes_list(c), c->len, error);
}

bool admin_make(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    if (!dir)
        return false;
    GError *reason = NULL;
    g_autoptr(entry) admin = directory_account(dir, s->answers->admin_address, &reason);
    if (!found_or_none(admin, reason, error))
        return false;
    if (admin ? !keep_admin(s, dir, admin, error) : !(admin = create_admin(dir, s->answers, error)))
        return false;
    return add_aliases(dir, admin, s->answers->domain_name, error);
}

/* ---- system accounts ---- */

static const struct system_account {
    const char *prefix;
    const char *config_attr;
    const char *lifetime;       /* of its messages; NULL: for ever */
    const char *description;
} system_accounts[] = {
    { "spam", "zimbraSpamIsSpamAccount", NULL, "Messages reported as spam, for training" },
    { "ham", "zimbraSpamIsNotSpamAccount", NULL, "Messages reported as no spam, for training" },
    { "virus-quarantine", "zimbraAmavisQuarantineAccount", "7d", "Quarantine of messages with a virus" },
};

/* Nobody guesses the address: mail sent to it would train the filter. */
static char *random_address(const char *prefix, const char *domain)
{
    unsigned char bytes[5];
    ssize_t n = getrandom(bytes, sizeof bytes, 0);
    g_assert(n == sizeof bytes);    /* cannot fail once the kernel has its entropy */
    g_autoptr(GString) text = g_string_new(prefix);
    g_string_append_c(text, '.');
    for (size_t i = 0; i < sizeof bytes; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    g_string_append_printf(text, "@%s", domain);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool create_system_account(directory *dir, const struct system_account *row, const char *address, GError **error)
{
    g_autoptr(GArray) c = changes_new();
    const char *const pairs[][2] = {
        { "zimbraIsSystemResource", "TRUE" }, { "zimbraIsSystemAccount", "TRUE" }, { "zimbraHideInGal", "TRUE" },
        { "amavisBypassSpamChecks", "TRUE" }, { "zimbraAttachmentsIndexingEnabled", "FALSE" },
        { "zimbraMailQuota", "0" }, { "zimbraMailMessageLifetime", row->lifetime },
        { "description", row->description },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        changes_add(c, pairs[i][0], pairs[i][1]);
    g_autoptr(entry) account = directory_create_account(dir, address, "", changes_list(c), c->len, error);
    return account != NULL;
}

/* The address is in the global config before the account is made, so that a
 * run cut short makes no second one. */
static bool keep_system_account(directory *dir, const struct system_account *row, const char *domain, GError **error)
{
    g_autoptr(entry) config = directory_global_config(dir, error);
    if (!config)
        return false;
    g_autofree char *address = g_strdup(entry_get(config, row->config_attr));
    if (!address) {
        address = random_address(row->prefix, domain);
        if (!set_global(dir, row->config_attr, address, error))
            return false;
    }
    GError *reason = NULL;
    g_autoptr(entry) account = directory_account(dir, address, &reason);
    if (!found_or_none(account, reason, error))
        return false;
    return account || create_system_account(dir, row, address, error);
}

bool system_accounts_make(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    for (size_t i = 0; dir && i < G_N_ELEMENTS(system_accounts); i++)
        if (!keep_system_account(dir, &system_accounts[i], s->answers->domain_name, error))
            return false;
    return dir != NULL;
}

/* ---- accounts made before there was a mailbox host ---- */

bool mailbox_here(const answers *a)
{
    return answers_has_service(a, "mailbox");
}

static bool collect(entry *account, void *data)
{
    if (strchr(entry_name(account), '@'))
        g_ptr_array_add(data, entry_ref(account));
    return true;
}

bool accounts_adopt(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    g_autoptr(GPtrArray) homeless = g_ptr_array_new_with_free_func((GDestroyNotify) entry_unref);
    if (!dir || !directory_each(dir, ENTRY_ACCOUNT, NULL, "(!(zimbraMailHost=*))", collect, homeless, error))
        return false;
    g_autoptr(GArray) c = changes_new();
    changes_add(c, "zimbraMailHost", s->answers->host_name);
    for (guint i = 0; i < homeless->len; i++)
        if (!directory_modify(dir, homeless->pdata[i], changes_list(c), c->len, error))
            return false;
    return true;
}
