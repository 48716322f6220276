/* Commands of the global config. */
#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

static bool show_config(session *s, char **wanted, GError **error)
{
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = d ? directory_global_config(d, error) : NULL;
    if (e)
        print_attrs(e, wanted, false);
    return e != NULL;
}

HANDLER(run_get_all_config)
{
    (void) take_flag(&argc, &argv, "-v"); /* all is shown anyway */
    return show_config(s, argv, error);
}

HANDLER(run_get_config)
{
    return show_config(s, argv, error);
}

HANDLER(run_modify_config)
{
    g_auto(change_list) changes = { NULL, 0 };
    directory *d = change_list_parse(s, argc, argv, &changes, error) ? session_writer(s, error) : NULL;
    g_autoptr(entry) e = d ? directory_global_config(d, error) : NULL;
    if (!e || !directory_modify(d, e, changes.list, changes.n, error))
        return false;
    audit_change(s, c, "globalconfig", NULL, changes.list, changes.n);
    return true;
}
