/* grantRight, revokeRight, getGrants. A grant is a value of zimbraACE on its
 * target: "GRANTEE-ID TYPE RIGHT" or "… -RIGHT", the id quoted where it is an
 * address. */
#include <stdio.h>

#include "cli/zmprov/audit.h"
#include "cli/zmprov/handlers.h"

#define ALL_ID "00000000-0000-0000-0000-000000000000"
#define PUB_ID "99999999-9999-9999-9999-999999999999"

static const struct target_type { const char *word; entry_kind kind; bool named; } target_types[] = {
    { "account", ENTRY_ACCOUNT, true },
    { "calresource", ENTRY_CALENDAR_RESOURCE, true },
    { "cos", ENTRY_COS, true },
    { "dl", ENTRY_DISTRIBUTION_LIST, true },
    { "domain", ENTRY_DOMAIN, true },
    { "server", ENTRY_SERVER, true },
    { "config", ENTRY_GLOBAL_CONFIG, false },
    { "global", ENTRY_GLOBAL_CONFIG, false },
};

/* ID: the fixed one of a type that names nobody. KIND: who is looked up. */
static const struct grantee_type { const char *word, *id; entry_kind kind; } grantee_types[] = {
    { "usr", NULL, ENTRY_ACCOUNT }, { "grp", NULL, ENTRY_DISTRIBUTION_LIST }, { "dom", NULL, ENTRY_DOMAIN },
    { "gst", NULL, ENTRY_OTHER }, { "all", ALL_ID, ENTRY_OTHER }, { "pub", PUB_ID, ENTRY_OTHER },
};

#define TARGET(kind) (1u << (kind))
#define ON_LISTS     (TARGET(ENTRY_DISTRIBUTION_LIST) | TARGET(ENTRY_DOMAIN))
#define ON_ACCOUNTS  \
    (TARGET(ENTRY_ACCOUNT) | TARGET(ENTRY_CALENDAR_RESOURCE) | TARGET(ENTRY_DOMAIN) | TARGET(ENTRY_DISTRIBUTION_LIST))

static const struct { const char *name; unsigned targets; } rights[] = {
    { "sendToDistList", ON_LISTS },
    { "viewDistList", ON_LISTS },
    { "ownDistList", TARGET(ENTRY_DISTRIBUTION_LIST) },
    { "adminLoginAs", ON_ACCOUNTS },
    { "loginAs", ON_ACCOUNTS },
    { "sendAs", ON_ACCOUNTS | TARGET(ENTRY_DISTRIBUTION_LIST) },
    { "invite", ON_ACCOUNTS },
    { "viewFreeBusy", ON_ACCOUNTS },
};

struct grant {
    const struct target_type *target;
    const struct grantee_type *grantee;
    entry *object;
    char *id;                   /* of the grantee */
    const char *right;          /* with its sign, as the table spells it */
    char *ace;
};

static void grant_clear(struct grant *g)
{
    entry_unref(g->object);
    g_free(g->id);
    g_free(g->ace);
}
typedef struct grant grant;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(grant, grant_clear)

static const struct target_type *target_type_of(const char *word, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(target_types); i++)
        if (g_ascii_strcasecmp(word, target_types[i].word) == 0)
            return &target_types[i];
    invalid(error, "%s is no type of a target: account, calresource, cos, dl, domain, server, config, global", word);
    return NULL;
}

static const struct grantee_type *grantee_type_of(const char *word, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(grantee_types); i++)
        if (g_ascii_strcasecmp(word, grantee_types[i].word) == 0)
            return &grantee_types[i];
    invalid(error, "%s is no type of a grantee: usr, grp, dom, gst, all, pub", word);
    return NULL;
}

static bool grantee_id(directory *d, const struct grantee_type *type, const char *name, char **ret, GError **error)
{
    if (type->kind == ENTRY_OTHER) {
        *ret = directory_normalise_address(name, error);
        return *ret != NULL;
    }
    g_autoptr(entry) e = find_object(d, type->kind, name, error);
    *ret = e ? g_strdup(entry_id(e)) : NULL;
    return e != NULL;
}

static bool check_right(struct grant *g, const char *word, GError **error)
{
    const char *name = *word == '-' || *word == '+' ? word + 1 : word;
    for (size_t i = 0; i < G_N_ELEMENTS(rights); i++) {
        if (g_ascii_strcasecmp(name, rights[i].name) != 0)
            continue;
        if (!(rights[i].targets & TARGET(g->target->kind)) && g->target->kind != ENTRY_GLOBAL_CONFIG)
            return invalid(error, "right %s cannot be granted on a %s", rights[i].name, g->target->word);
        g->right = rights[i].name;
        g->ace = g_strdup_printf("%s %s %s%s", g->id, g->grantee->word, *word == '-' ? "-" : "", rights[i].name);
        return true;
    }
    return invalid(error, "no such right: %s", name);
}

/* {target-type} [{target}] {grantee-type} [{grantee} [secret]] {[-]right} */
static bool parse_grant(directory *d, const command *c, int argc, char **argv, struct grant *g, GError **error)
{
    int i = 0;
    if (!(g->target = target_type_of(argv[i++], error)))
        return false;
    g->object = find_object(d, g->target->kind, g->target->named ? argv[i++] : "", error);
    if (!g->object)
        return false;
    if (i >= argc)
        return usage_error(c, error);
    if (!(g->grantee = grantee_type_of(argv[i++], error)))
        return false;
    if (g->grantee->id)
        g->id = g_strdup(g->grantee->id);
    else if (i >= argc)
        return usage_error(c, error);
    else if (!grantee_id(d, g->grantee, argv[i++], &g->id, error))
        return false;
    if (g_str_equal(g->grantee->word, "gst") && argc - i == 2 && *argv[i++])
        return invalid(error, "a guest's secret has no meaning here: give \"\"");
    if (argc - i != 1)
        return usage_error(c, error);
    return check_right(g, argv[i], error);
}

static bool change_grant(session *s, const command *c, int argc, char **argv, const char *attr, bool must_exist,
                         GError **error)
{
    g_auto(grant) g = { NULL };
    directory *d = session_writer(s, error);
    if (!d || !parse_grant(d, c, argc, argv, &g, error))
        return false;
    if (must_exist && !entry_has_value(g.object, "zimbraACE", g.ace)) {
        g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH, "no such grant on %s: %s", entry_name(g.object),
                    g.ace);
        return false;
    }
    const attr_change change = { (char *) attr, g.ace };
    if (!directory_modify(d, g.object, &change, 1, error))
        return false;
    audit_change(s, c, entry_name(g.object), entry_id(g.object), &change, 1);
    return true;
}

HANDLER(run_grant_right)
{
    return change_grant(s, c, argc, argv, "+zimbraACE", false, error);
}

HANDLER(run_revoke_right)
{
    return change_grant(s, c, argc, argv, "-zimbraACE", true, error);
}

/* ---- getGrants ---- */

struct wanted { directory *d; const struct target_type *target; const char *grantee_id; };

static char *grantee_name(directory *d, const char *type, const char *id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(grantee_types); i++)
        if (g_str_equal(type, grantee_types[i].word) && grantee_types[i].kind != ENTRY_OTHER) {
            g_autoptr(entry) e = find_object(d, grantee_types[i].kind, id, NULL);
            return g_strdup(e ? entry_name(e) : "(gone)");
        }
    return g_strdup(g_str_equal(type, "gst") ? id : "");
}

static void print_grant(struct wanted *w, const entry *e, const char *ace)
{
    g_auto(GStrv) words = g_strsplit(ace, " ", 3);
    if (g_strv_length(words) != 3 || (w->grantee_id && g_ascii_strcasecmp(words[0], w->grantee_id) != 0))
        return;
    g_autofree char *name = grantee_name(w->d, words[1], words[0]);
    bool is_list = entry_get_kind(e) == ENTRY_DISTRIBUTION_LIST;
    printf("%-12s %-36s %-30s %-12s %-36s %-30s %s\n", is_list ? "dl" : w->target ? w->target->word : "",
           entry_id(e) ? entry_id(e) : "", entry_name(e), words[1], words[0], name, words[2]);
}

static bool print_grants(entry *e, void *data)
{
    for (const char *const *ace = entry_get_all_own(e, "zimbraACE"); *ace; ace++)
        print_grant(data, e, *ace);
    return true;
}

static void print_header(void)
{
    static const struct { const char *title; int width; } columns[] = {
        { "target type", 12 }, { "target id", 36 }, { "target name", 30 }, { "grantee type", 12 },
        { "grantee id", 36 }, { "grantee name", 30 }, { "right", 20 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        printf("%-*s%s", columns[i].width, columns[i].title, i + 1 < G_N_ELEMENTS(columns) ? " " : "\n");
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_autofree char *line = g_strnfill((gsize) columns[i].width, '-');
        printf("%s%s", line, i + 1 < G_N_ELEMENTS(columns) ? " " : "\n");
    }
}

/* [-t target-type [target]] [-g grantee-type grantee] */
HANDLER(run_get_grants)
{
    directory *d = session_reader(s, error);
    if (!d)
        return false;
    struct wanted w = { .d = d };
    g_autoptr(entry) object = NULL;
    g_autofree char *id = NULL;
    const char *word = take_option(&argc, &argv, "-t");
    if (word) {
        bool more = argc > 0 && !g_str_equal(argv[0], "-g");
        if (!(w.target = target_type_of(word, error)) || (w.target->named && !more))
            return w.target ? usage_error(c, error) : false;
        if (!(object = find_object(d, w.target->kind, w.target->named ? argv[0] : "", error)))
            return false;
        argc -= w.target->named, argv += w.target->named;
    }
    if (argc >= 3 && g_str_equal(argv[0], "-g")) {
        const struct grantee_type *type = grantee_type_of(argv[1], error);
        if (!type || (!type->id && !grantee_id(d, type, argv[2], &id, error)))
            return false;
        w.grantee_id = type->id ? type->id : id;
    } else if (argc > 0 || !object) {
        return usage_error(c, error);
    }
    print_header();
    return object ? print_grants(object, &w)
                  : directory_each(d, ENTRY_OTHER, NULL, "(zimbraACE=*)", print_grants, &w, error);
}
