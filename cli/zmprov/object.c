/* Commands that are the same for every kind of object: get, list, create,
 * change, delete, rename, aliases. */
#include <stdio.h>

#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

entry *find_object(directory *d, entry_kind kind, const char *name, GError **error)
{
    static entry *(*const find[])(directory *, const char *, GError **) = {
        [ENTRY_SERVER] = directory_server, [ENTRY_DOMAIN] = directory_domain, [ENTRY_COS] = directory_cos,
        [ENTRY_ACCOUNT] = directory_account, [ENTRY_CALENDAR_RESOURCE] = directory_account,
        [ENTRY_DISTRIBUTION_LIST] = directory_distribution_list,
    };
    if (kind == ENTRY_GLOBAL_CONFIG)
        return directory_global_config(d, error);
    g_autoptr(entry) e = find[kind](d, name, error);
    if (e && kind == ENTRY_CALENDAR_RESOURCE && entry_get_kind(e) != kind) {
        invalid(error, "%s is an account, not a calendar resource", name);
        return NULL;
    }
    return g_steal_pointer(&e);
}

HANDLER(run_get)
{
    bool own_only = take_flag(&argc, &argv, "-e");
    if (argc == 0)
        return usage_error(c, error);
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = d ? find_object(d, c->kind, argv[0], error) : NULL;
    if (e)
        print_entry(e, argv + 1, !own_only);
    return e != NULL;
}

/* ---- lists of objects ---- */

struct listing { bool verbose, own_only; char **wanted; const char *server; };

/* System accounts have no address and are not listed. */
static bool is_listed(const entry *e)
{
    entry_kind kind = entry_get_kind(e);
    return (kind != ENTRY_ACCOUNT && kind != ENTRY_CALENDAR_RESOURCE) || strchr(entry_name(e), '@');
}

static bool show(entry *e, void *data)
{
    const struct listing *l = data;
    if (!is_listed(e))
        return true;
    if (l->verbose && entry_get_kind(e) == ENTRY_DISTRIBUTION_LIST)
        print_list(e, l->wanted);
    else if (l->verbose)
        print_entry(e, l->wanted, !l->own_only);
    else
        printf("%s\n", entry_name(e));
    return true;
}

/* Options in any order in front: -v -e -s SERVER. */
static void take_listing_options(int *argc, char ***argv, struct listing *l)
{
    for (int before = -1; before != *argc; ) {
        before = *argc;
        l->verbose |= take_flag(argc, argv, "-v");
        l->own_only |= take_flag(argc, argv, "-e");
        const char *server = take_option(argc, argv, "-s");
        l->server = server ? server : l->server;
    }
}

/* What the words behind the options mean depends on the kind: a domain for mail
 * objects, a service for servers, attributes for domains. */
static bool listing_scope(directory *d, const command *c, int argc, char **argv, struct listing *l, char **ret_base,
                          char **ret_filter, GError **error)
{
    switch (c->kind) {
    case ENTRY_SERVER: {
        g_autofree char *service = argc ? directory_escape(argv[0]) : NULL;
        *ret_filter = service ? g_strdup_printf("(zimbraServiceEnabled=%s)", service) : NULL;
        return true;
    }
    case ENTRY_DOMAIN:
        l->wanted = argv;
        return true;
    case ENTRY_COS:
        return argc == 0 || usage_error(c, error);
    default: {
        g_autoptr(entry) domain = argc ? directory_domain(d, argv[0], error) : NULL;
        if (argc && !domain)
            return false;
        *ret_base = domain ? g_strconcat("ou=people,", entry_dn(domain), NULL) : NULL;
        g_autofree char *host = l->server ? directory_escape(l->server) : NULL;
        *ret_filter = host ? g_strdup_printf("(zimbraMailHost=%s)", host) : NULL;
        return true;
    }
    }
}

HANDLER(run_get_all)
{
    struct listing l = { .verbose = s->verbose };
    take_listing_options(&argc, &argv, &l);
    directory *d = session_reader(s, error);
    g_autofree char *base = NULL, *filter = NULL;
    return d && listing_scope(d, c, argc, argv, &l, &base, &filter, error) &&
           directory_each(d, c->kind, base, filter, show, &l, error);
}

/* ---- changes ---- */

HANDLER(run_create)
{
    static entry *(*const create[])(directory *, const char *, const attr_change *, size_t, GError **) = {
        [ENTRY_SERVER] = directory_create_server,
        [ENTRY_DOMAIN] = directory_create_domain,
        [ENTRY_COS] = directory_create_cos,
        [ENTRY_DISTRIBUTION_LIST] = directory_create_distribution_list,
    };
    g_auto(change_list) changes = { NULL, 0 };
    bool was = s->replace;
    s->replace = true;          /* nothing of a new object can be replaced by mistake */
    bool ok = change_list_parse(s, argc - 1, argv + 1, &changes, error);
    s->replace = was;
    directory *d = ok ? session_writer(s, error) : NULL;
    g_autoptr(entry) e = d ? create[c->kind](d, argv[0], changes.list, changes.n, error) : NULL;
    if (!e)
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), changes.list, changes.n);
    printf("%s\n", entry_id(e));
    return true;
}

/* An administrator may end a lockout but not declare one (guide ch. 11). */
static bool no_lockout(const change_list *changes, GError **error)
{
    for (size_t i = 0; i < changes->n; i++)
        if (g_ascii_strcasecmp(changes->list[i].attr, "zimbraAccountStatus") == 0 &&
            g_ascii_strcasecmp(changes->list[i].value, "lockout") == 0)
            return invalid(error,
                           "zimbraAccountStatus lockout is set by the system after failed logins only: use locked");
    return true;
}

HANDLER(run_modify)
{
    g_auto(change_list) changes = { NULL, 0 };
    if (!change_list_parse(s, argc - 1, argv + 1, &changes, error) || !no_lockout(&changes, error))
        return false;
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? find_object(d, c->kind, argv[0], error) : NULL;
    if (!e || !directory_modify(d, e, changes.list, changes.n, error))
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), changes.list, changes.n);
    return true;
}

HANDLER(run_delete)
{
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? find_object(d, c->kind, argv[0], error) : NULL;
    if (!e || !directory_delete(d, e, error))
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), NULL, 0);
    return true;
}

typedef bool (*name_fn)(directory *d, entry *e, const char *name, GError **error);

static bool with_name(session *s, const command *c, char **argv, const char *word, name_fn change, GError **error)
{
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? find_object(d, c->kind, argv[0], error) : NULL;
    if (!e || !change(d, e, argv[1], error))
        return false;
    const attr_change record = { (char *) word, argv[1] };
    audit_change(s, c, entry_name(e), entry_id(e), &record, 1);
    return true;
}

HANDLER(run_rename)
{
    return with_name(s, c, argv, c->kind == ENTRY_COS ? "cn" : "mail", directory_rename, error);
}

HANDLER(run_add_alias)
{
    return with_name(s, c, argv, "zimbraMailAlias", directory_add_alias, error);
}

HANDLER(run_remove_alias)
{
    return with_name(s, c, argv, "zimbraMailAlias", directory_remove_alias, error);
}
