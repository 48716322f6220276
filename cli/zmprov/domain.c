/* Commands of domains and COSes beyond those of every object. */
#include <stdio.h>

#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

HANDLER(run_create_alias_domain)
{
    g_auto(change_list) changes = { NULL, 0 };
    directory *d = change_list_parse(s, argc - 2, argv + 2, &changes, error) ? session_writer(s, error) : NULL;
    g_autoptr(entry) e = d ? directory_create_alias_domain(d, argv[0], argv[1], changes.list, changes.n, error) : NULL;
    if (!e)
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), changes.list, changes.n);
    printf("%s\n", entry_id(e));
    return true;
}

static bool take_first(entry *e, void *data)
{
    entry **found = data;
    *found = entry_ref(e);
    return false;
}

HANDLER(run_get_domain_info)
{
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = NULL;
    if (d && g_ascii_strcasecmp(argv[0], "virtualHostname") == 0) {
        g_autofree char *host = directory_escape(argv[1]);
        g_autofree char *filter = g_strdup_printf("(zimbraVirtualHostname=%s)", host);
        if (!directory_each(d, ENTRY_DOMAIN, NULL, filter, take_first, &e, error))
            return false;
        if (!e)
            return invalid(error, "no domain has the virtual host name %s", argv[1]);
    } else if (d && (g_ascii_strcasecmp(argv[0], "name") == 0 || g_ascii_strcasecmp(argv[0], "id") == 0)) {
        e = directory_domain(d, argv[1], error);
    } else if (d) {
        return usage_error(c, error);
    }
    if (e)
        print_entry(e, argv + 2, true);
    return e != NULL;
}

/* ---- accounts by COS ---- */

struct count { char *id; gint64 n; };

/* The COS that counts is the one the account inherits from. */
static bool count_one(entry *e, void *data)
{
    GHashTable *counts = data;
    const char *id = entry_get_own(e, "zimbraCOSId");
    const char *key = id ? id : "";
    struct count *count = g_hash_table_lookup(counts, key);
    if (!count) {
        count = g_new0(struct count, 1);
        g_hash_table_insert(counts, g_strdup(key), count);
    }
    count->n++;
    return true;
}

static void add_to(GHashTable *totals, const char *id, gint64 n)
{
    gint64 *total = g_hash_table_lookup(totals, id);
    if (!total) {
        total = g_new0(gint64, 1);
        g_hash_table_insert(totals, g_strdup(id), total);
    }
    *total += n;
}

/* Accounts without a COS have the domain's default, those with an unknown one
 * the system's. */
static bool print_counts(directory *d, const entry *domain, GHashTable *counts, GError **error)
{
    const char *own_default = entry_get_own(domain, "zimbraDomainDefaultCOSId");
    g_autoptr(entry) fallback = directory_cos(d, own_default ? own_default : "default", NULL);
    g_autoptr(entry) last = fallback ? entry_ref(fallback) : directory_cos(d, "default", error);
    if (!last)
        return false;
    g_autoptr(GHashTable) totals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter i;
    gpointer key, value;
    g_hash_table_iter_init(&i, counts);
    while (g_hash_table_iter_next(&i, &key, &value)) {
        g_autoptr(entry) cos = *(char *) key ? directory_cos(d, key, NULL) : NULL;
        add_to(totals, entry_id(cos ? cos : last), ((struct count *) value)->n);
    }
    printf("%-20s %-40s %s\n", "cos name", "cos id", "# of accounts");
    printf("-------------------- ---------------------------------------- --------------------\n");
    g_hash_table_iter_init(&i, totals);
    while (g_hash_table_iter_next(&i, &key, &value)) {
        g_autoptr(entry) cos = directory_cos(d, key, error);
        if (!cos)
            return false;
        printf("%-20s %-40s %" G_GINT64_FORMAT "\n", entry_name(cos), entry_id(cos), *(gint64 *) value);
    }
    return true;
}

HANDLER(run_count_accounts)
{
    directory *d = session_reader(s, error);
    g_autoptr(entry) domain = d ? directory_domain(d, argv[0], error) : NULL;
    if (!domain)
        return false;
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *people = g_strconcat("ou=people,", entry_dn(domain), NULL);
    return directory_each(d, ENTRY_ACCOUNT, people, "(!(zimbraIsSystemResource=TRUE))", count_one, counts, error) &&
           print_counts(d, domain, counts, error);
}

HANDLER(run_copy_cos)
{
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? directory_copy_cos(d, argv[0], argv[1], error) : NULL;
    if (!e)
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), NULL, 0);
    printf("%s\n", entry_id(e));
    return true;
}
