/* Commands of distribution lists beyond those of every object. */
#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

HANDLER(run_get_list)
{
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = d ? directory_distribution_list(d, argv[0], error) : NULL;
    if (e)
        print_list(e, argv + 1);
    return e != NULL;
}

typedef bool (*members_fn)(directory *d, entry *list, const char *const *members, GError **error);

static bool with_members(session *s, const command *c, int argc, char **argv, const char *attr, members_fn change,
                         GError **error)
{
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? directory_distribution_list(d, argv[0], error) : NULL;
    if (!e || !change(d, e, (const char *const *) argv + 1, error))
        return false;
    g_autofree attr_change *record = g_new0(attr_change, (gsize) argc);
    for (int i = 1; i < argc; i++)
        record[i - 1] = (attr_change) { (char *) attr, argv[i] };
    audit_change(s, c, entry_name(e), entry_id(e), record, (size_t) argc - 1);
    return true;
}

HANDLER(run_add_members)
{
    return with_members(s, c, argc, argv, "+zimbraMailForwardingAddress", directory_add_members, error);
}

HANDLER(run_remove_members)
{
    return with_members(s, c, argc, argv, "-zimbraMailForwardingAddress", directory_remove_members, error);
}
