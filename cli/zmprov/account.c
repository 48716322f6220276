/* Commands of accounts beyond those of every object. */
#include <stdio.h>

#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

#define PASSWORD_LINE_MAX 2048

/* "-" stands for a line of stdin, "@FILE" for the first line of FILE, so that a
 * password need not stand in the process list. */
static char *password_of(const char *word, GError **error)
{
    bool from_stdin = g_str_equal(word, "-");
    if (!from_stdin && word[0] != '@')
        return g_strdup(word);
    FILE *f = from_stdin ? stdin : fopen(word + 1, "re");
    char line[PASSWORD_LINE_MAX];
    bool ok = f && fgets(line, sizeof line, f);
    if (f && !from_stdin)
        (void) fclose(f); /* only read from */
    if (!ok) {
        invalid(error, "no password could be read from %s", from_stdin ? "stdin" : word + 1);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = 0;
    char *password = g_strdup(line);
    explicit_bzero(line, sizeof line);
    return password;
}

/* The password is optional for a calendar resource: what follows then is a
 * list of pairs. */
static bool has_password(const command *c, int argc)
{
    return c->kind == ENTRY_ACCOUNT || argc % 2 == 0;
}

HANDLER(run_create_account)
{
    bool given = has_password(c, argc);
    g_auto(change_list) changes = { NULL, 0 };
    g_autofree char *password = given ? password_of(argv[1], error) : g_strdup("");
    int skip = given ? 2 : 1;
    if (!password || !change_list_parse(s, argc - skip, argv + skip, &changes, error))
        return false;
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = !d ? NULL
                         : c->kind == ENTRY_ACCOUNT
                             ? directory_create_account(d, argv[0], password, changes.list, changes.n, error)
                             : directory_create_calendar_resource(d, argv[0], password, changes.list, changes.n, error);
    if (!e)
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), changes.list, changes.n);
    printf("%s\n", entry_id(e));
    return true;
}

HANDLER(run_set_password)
{
    g_autofree char *password = password_of(argv[1], error);
    directory *d = password ? session_writer(s, error) : NULL;
    g_autoptr(entry) e = d ? directory_account(d, argv[0], error) : NULL;
    if (!e || !directory_set_password(d, e, password, error))
        return false;
    g_autoptr(GError) weak = NULL;
    if (!directory_check_password(e, password, &weak))
        fprintf(stderr, "warning: the password is set although it breaks the rules: %s\n", weak->message);
    const attr_change record = { (char *) "userPassword", (char *) "" };
    audit_change(s, c, entry_name(e), entry_id(e), &record, 1);
    return true;
}

HANDLER(run_check_password)
{
    g_autofree char *password = password_of(argv[1], error);
    directory *d = password ? session_reader(s, error) : NULL;
    g_autoptr(entry) e = d ? directory_account(d, argv[0], error) : NULL;
    if (!e || !directory_check_password(e, password, error))
        return false;
    printf("Password passed strength check.\n");
    return true;
}

HANDLER(run_set_cos)
{
    directory *d = session_writer(s, error);
    g_autoptr(entry) e = d ? directory_account(d, argv[0], error) : NULL;
    g_autoptr(entry) cos = e ? directory_cos(d, argv[1], error) : NULL;
    if (!cos)
        return false;
    const attr_change change = { (char *) "zimbraCOSId", (char *) entry_id(cos) };
    if (!directory_modify(d, e, &change, 1, error))
        return false;
    audit_change(s, c, entry_name(e), entry_id(e), &change, 1);
    return true;
}

struct admins { bool verbose, own_only; char **wanted; };

static bool show_admin(entry *e, void *data)
{
    const struct admins *a = data;
    if (a->verbose || *a->wanted)
        print_entry(e, a->wanted, !a->own_only);
    else
        printf("%s\n", entry_name(e));
    return true;
}

HANDLER(run_get_admins)
{
    struct admins a = { .verbose = s->verbose };
    for (int before = -1; before != argc; ) {
        before = argc;
        a.verbose |= take_flag(&argc, &argv, "-v");
        a.own_only |= take_flag(&argc, &argv, "-e");
    }
    a.wanted = argv;
    directory *d = session_reader(s, error);
    return d && directory_each(d, ENTRY_ACCOUNT, NULL, "(zimbraIsAdminAccount=TRUE)", show_admin, &a, error);
}

HANDLER(run_get_memberships)
{
    if (argc == 2 && !take_flag(&argc, &argv, "-g"))
        return usage_error(c, error);
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = d ? find_object(d, c->kind, argv[0], error) : NULL;
    g_autoptr(GPtrArray) ways = e ? directory_membership_ways(d, entry_name(e), error) : NULL;
    for (guint i = 0; ways && i < ways->len; i++) {
        const directory_membership *w = ways->pdata[i];
        printf(w->via ? "%s (via %s)\n" : "%s\n", w->list, w->via);
    }
    return ways != NULL;
}
