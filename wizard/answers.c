/* Reads the answer file: a table of keys, then the rules between them. */
#include "wizard/answers.h"

#include <stddef.h>

#include "lib/localconfig/localconfig.h"
#include "wizard/answer-checks.h"

G_DEFINE_QUARK(mailstead-answers-error, answers_error)

const char *const answers_shared_secrets[] = {
    "zimbra_ldap_password", "ldap_replication_password", "ldap_postfix_password", "ldap_amavis_password",
    "ldap_nginx_password", "ldap_bes_searcher_password", NULL,
};

/* On which host an answer must be given. */
typedef enum { NEVER, FIRST_HOST, JOINING_HOST, EVERY_HOST } necessity;

#define FIELD(name) offsetof(answers, name)
enum { NO_FIELD = -1 };

static const struct answer_key {
    const char *section, *key;
    necessity needed;
    bool secret;                        /* never shown */
    char *(*check)(const char *value);
    int field;                          /* of answers; NO_FIELD: read otherwise */
} keys[] = {
    { "host", "name", EVERY_HOST, false, check_host_name, FIELD(host_name) },
    { "host", "address", NEVER, false, check_address, FIELD(host_address) },
    { "host", "services", EVERY_HOST, false, check_services, NO_FIELD },
    { "directory", "url", NEVER, false, check_directory_url, FIELD(directory_url) },
    { "directory", "admin_password", NEVER, true, check_secret, FIELD(directory_password) },
    { "directory", "ca", JOINING_HOST, false, check_ca_file, FIELD(directory_ca) },
    { "directory", "secrets_file", NEVER, false, check_readable_file, FIELD(directory_secrets) },
    { "secrets", "zimbra_ldap_password", NEVER, true, check_secret, NO_FIELD },
    { "secrets", "ldap_replication_password", NEVER, true, check_secret, NO_FIELD },
    { "secrets", "ldap_postfix_password", NEVER, true, check_secret, NO_FIELD },
    { "secrets", "ldap_amavis_password", NEVER, true, check_secret, NO_FIELD },
    { "secrets", "ldap_nginx_password", NEVER, true, check_secret, NO_FIELD },
    { "secrets", "ldap_bes_searcher_password", NEVER, true, check_secret, NO_FIELD },
    { "domain", "name", FIRST_HOST, false, check_domain_name, FIELD(domain_name) },
    { "admin", "address", FIRST_HOST, false, check_mail_address, FIELD(admin_address) },
    { "admin", "password", FIRST_HOST, true, check_password, FIELD(admin_password) },
    { "console", "password", NEVER, true, check_password, FIELD(console_password) },
    { "time", "zone", NEVER, false, check_time_zone, FIELD(time_zone) },
};

G_GNUC_PRINTF(2, 3)
static void problem(GString *problems, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_string_append_printf(problems, "%s", problems->len ? "\n" : "");
    g_string_append_vprintf(problems, format, ap);
    va_end(ap);
}

/* ---- unknown sections and keys ---- */

static const struct answer_key *find_key(const char *section, const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (g_str_equal(keys[i].section, section) && (!key || g_str_equal(keys[i].key, key)))
            return &keys[i];
    return NULL;
}

/* Keys of SECTION, or the sections (NULL), parted by commas. */
static char *allowed_words(const char *section)
{
    g_autoptr(GString) words = g_string_new(NULL);
    const char *last = "";
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *word = section ? keys[i].key : keys[i].section;
        if ((section && !g_str_equal(keys[i].section, section)) || g_str_equal(word, last))
            continue;
        g_string_append_printf(words, "%s%s", words->len ? ", " : "", word);
        last = word;
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

static void find_unknown_keys(GKeyFile *file, const char *section, GString *problems)
{
    g_auto(GStrv) present = g_key_file_get_keys(file, section, NULL, NULL);
    for (char **key = present; key && *key; key++) {
        if (find_key(section, *key))
            continue;
        g_autofree char *allowed = allowed_words(section);
        problem(problems, "[%s] %s: unknown key; allowed: %s", section, *key, allowed);
    }
}

static void find_unknown(GKeyFile *file, GString *problems)
{
    g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
    for (char **section = sections; *section; section++) {
        if (find_key(*section, NULL)) {
            find_unknown_keys(file, *section, problems);
            continue;
        }
        g_autofree char *allowed = allowed_words(NULL);
        problem(problems, "[%s]: unknown section; allowed: %s", *section, allowed);
    }
}

/* ---- values ---- */

static bool is_needed(const struct answer_key *k, bool joining)
{
    return k->needed == EVERY_HOST || k->needed == (joining ? JOINING_HOST : FIRST_HOST);
}

static void store(answers *a, const struct answer_key *k, const char *value)
{
    if (k->field != NO_FIELD)
        *(char **) (void *) ((char *) a + k->field) = g_strdup(value);
    else if (g_str_equal(k->section, "secrets"))
        g_hash_table_insert(a->secrets, g_strdup(k->key), g_strdup(value));
}

static void take_services(answers *a, const char *value)
{
    g_auto(GStrv) names = g_strsplit(value, ",", -1);
    g_autoptr(GStrvBuilder) once = g_strv_builder_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (char **name = names; *name; name++)
        if (g_hash_table_add(seen, g_strstrip(*name)))
            g_strv_builder_add(once, *name);
    a->services = g_strv_builder_end(once);
}

static void take_value(answers *a, const struct answer_key *k, const char *value, GString *problems)
{
    g_autofree char *allowed = g_utf8_validate(value, -1, NULL) ? k->check(value) : g_strdup("text in UTF-8");
    if (allowed && k->secret)
        problem(problems, "[%s] %s: the value is not valid; allowed: %s", k->section, k->key, allowed);
    else if (allowed)
        problem(problems, "[%s] %s = \"%s\" is not valid; allowed: %s", k->section, k->key, value, allowed);
    else if (g_str_equal(k->key, "services"))
        take_services(a, value);
    else
        store(a, k, value);
}

static void take_values(answers *a, GKeyFile *file, GString *problems)
{
    bool joining = g_key_file_has_group(file, "directory");
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = g_key_file_get_value(file, keys[i].section, keys[i].key, NULL);
        if (value)
            take_value(a, &keys[i], value, problems);
        else if (is_needed(&keys[i], joining))
            problem(problems, "[%s] %s: missing; %s", keys[i].section, keys[i].key,
                    joining ? "a host that joins a directory needs it" : "it must be given");
    }
}

/* ---- rules between answers ---- */

bool answers_has_service(const answers *a, const char *name)
{
    return a->services && g_strv_contains((const char *const *) a->services, name);
}

static void check_directory(answers *a, GKeyFile *file, GString *problems)
{
    bool joining = g_key_file_has_group(file, "directory"), ldap = answers_has_service(a, "ldap");
    if (joining && !g_key_file_has_key(file, "directory", "url", NULL))
        problem(problems, "[directory] url: missing; leave the whole section out on the first host");
    if (a->services && !joining && !ldap)
        problem(problems, "[host] services: the first host must have ldap; a host that joins needs [directory] url");
    if (a->services && joining && ldap)
        problem(problems, "[host] services: ldap is not allowed with [directory] url, the directory is on that host");
    if (!joining && g_key_file_has_group(file, "secrets"))
        problem(problems, "[secrets]: only for a host that joins a directory; the first host makes its secrets at random");
}

static void check_admin(answers *a, GString *problems)
{
    const char *at = a->admin_address ? strchr(a->admin_address, '@') : NULL;
    if (at && a->domain_name && g_ascii_strcasecmp(at + 1, a->domain_name) != 0)
        problem(problems, "[admin] address = \"%s\" is not valid; allowed: an address in [domain] name, %s",
                a->admin_address, a->domain_name);
    if (a->admin_address && !a->domain_name)
        problem(problems, "[admin] address: needs [domain] name");
}

/* Secrets of the file, then those of the section over them. */
static void collect_secrets(answers *a, GString *problems)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(localconfig) lc = a->directory_secrets ? localconfig_load(a->directory_secrets, &error) : NULL;
    if (error)
        problem(problems, "[directory] secrets_file = \"%s\" is not valid; allowed: localconfig.xml of a host of the directory: %s",
                a->directory_secrets, error->message);
    for (size_t i = 0; answers_shared_secrets[i]; i++) {
        const char *key = answers_shared_secrets[i], *value = lc ? localconfig_get(lc, key) : NULL;
        if (value && *value && !g_hash_table_contains(a->secrets, key))
            g_hash_table_insert(a->secrets, g_strdup(key), g_strdup(value));
    }
    if (a->directory_password)
        g_hash_table_insert(a->secrets, g_strdup("zimbra_ldap_password"), g_strdup(a->directory_password));
}

/* What the services of a joining host log in to the directory with. */
static void check_secrets(answers *a, GString *problems)
{
    static const struct { const char *service, *key; } needs[] = {
        { NULL, "zimbra_ldap_password" }, { "mta", "ldap_postfix_password" },
        { "opendkim", "ldap_postfix_password" }, { "antispam", "ldap_amavis_password" },
        { "antivirus", "ldap_amavis_password" }, { "proxy", "ldap_nginx_password" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++)
        if ((!needs[i].service || answers_has_service(a, needs[i].service)) &&
            !g_hash_table_contains(a->secrets, needs[i].key))
            problem(problems, "[secrets] %s: missing; give it, or [directory] secrets_file with localconfig.xml of a host "
                    "of the directory", needs[i].key);
}

static void lower(char **text)
{
    char *old = *text;
    *text = old ? g_ascii_strdown(old, -1) : NULL;
    g_free(old);
}

static answers *take(GKeyFile *file, GString *problems)
{
    answers *a = g_new0(answers, 1);
    a->secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    find_unknown(file, problems);
    take_values(a, file, problems);
    check_directory(a, file, problems);
    check_admin(a, problems);
    if (g_key_file_has_group(file, "directory")) {
        collect_secrets(a, problems);
        check_secrets(a, problems);
    }
    lower(&a->host_name);
    lower(&a->domain_name);
    lower(&a->admin_address);
    return a;
}

char **answers_problems(GKeyFile *file)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(answers) a = take(file, problems);
    return g_strsplit(problems->str, "\n", -1);
}

answers *answers_parse(const char *text, gsize len, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_data(file, text, len, G_KEY_FILE_NONE, error))
        return NULL;
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(answers) a = take(file, problems);
    if (problems->len) {
        g_set_error(error, ANSWERS_ERROR, ANSWERS_ERROR_INVALID, "%s", problems->str);
        return NULL;
    }
    a->digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, (gssize) len);
    return g_steal_pointer(&a);
}

answers *answers_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, error))
        return NULL;
    answers *a = answers_parse(text, len, error);
    if (!a && !g_error_matches(*error, ANSWERS_ERROR, ANSWERS_ERROR_INVALID))
        g_prefix_error(error, "%s: ", path);
    return a;
}

void answers_free(answers *a)
{
    if (!a)
        return;
    char *texts[] = { a->host_name, a->host_address, a->directory_url, a->directory_password, a->directory_ca,
                      a->directory_secrets, a->domain_name, a->admin_address, a->admin_password, a->console_password,
                      a->time_zone, a->digest };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(a->services);
    g_clear_pointer(&a->secrets, g_hash_table_unref);
    g_free(a);
}
