/* searchAccounts and countObjects. */
#include <stdio.h>

#include "cli/zmprov/handlers.h"
#include "cli/zmprov/print.h"

struct search {
    bool verbose, ascending;
    gint64 limit, offset;       /* limit 0: none */
    const char *sort_by, *domain;
    GPtrArray *found;
};

static bool take_number(const char *word, const char *value, gint64 *ret, GError **error)
{
    return g_ascii_string_to_signed(value, 10, 0, G_MAXINT32, ret, NULL) ||
           invalid(error, "%s must be a number, not %s", word, value);
}

static bool search_word(struct search *q, const char *word, const char *value, GError **error)
{
    if (g_ascii_strcasecmp(word, "limit") == 0)
        return take_number(word, value, &q->limit, error);
    if (g_ascii_strcasecmp(word, "offset") == 0)
        return take_number(word, value, &q->offset, error);
    if (g_ascii_strcasecmp(word, "sortBy") == 0)
        q->sort_by = value;
    else if (g_ascii_strcasecmp(word, "sortAscending") == 0)
        q->ascending = !g_str_equal(value, "0") && g_ascii_strcasecmp(value, "FALSE") != 0;
    else if (g_ascii_strcasecmp(word, "domain") == 0)
        q->domain = value;
    else
        return invalid(error, "%s is none of limit, offset, sortBy, sortAscending, domain", word);
    return true;
}

static bool collect(entry *e, void *data)
{
    g_ptr_array_add(data, entry_ref(e));
    return true;
}

static const char *sort_value(const entry *e, const char *attr)
{
    const char *value = attr ? entry_get(e, attr) : entry_name(e);
    return value ? value : "";
}

static int by_value(const void *a, const void *b, void *data)
{
    const struct search *q = data;
    int order =
        g_ascii_strcasecmp(sort_value(*(entry *const *) a, q->sort_by), sort_value(*(entry *const *) b, q->sort_by));
    return q->ascending ? order : -order;
}

static void print_found(const struct search *q)
{
    for (gint64 i = q->offset; i < q->found->len && (q->limit == 0 || i < q->offset + q->limit); i++) {
        entry *e = q->found->pdata[i];
        if (q->verbose)
            print_entry(e, NULL, true);
        else
            printf("%s\n", entry_name(e));
    }
}

HANDLER(run_search_accounts)
{
    struct search q = { .verbose = s->verbose || take_flag(&argc, &argv, "-v"), .ascending = true };
    if (argc % 2 != 1)
        return usage_error(c, error);
    for (int i = 1; i < argc; i += 2)
        if (!search_word(&q, argv[i], argv[i + 1], error))
            return false;
    directory *d = session_reader(s, error);
    g_autoptr(entry) domain = d && q.domain ? directory_domain(d, q.domain, error) : NULL;
    if (!d || (q.domain && !domain))
        return false;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) entry_unref);
    g_autofree char *base = domain ? g_strconcat("ou=people,", entry_dn(domain), NULL) : NULL;
    if (!directory_each(d, ENTRY_ACCOUNT, base, argv[0], collect, found, error))
        return false;
    q.found = found;
    g_ptr_array_sort_with_data(found, by_value, &q);
    print_found(&q);
    return true;
}

/* ---- countObjects ---- */

static const struct { const char *word; entry_kind kind; const char *filter; bool in_domain; } types[] = {
    { "userAccount", ENTRY_ACCOUNT, "(!(zimbraIsSystemResource=TRUE))", true },
    { "account", ENTRY_ACCOUNT, NULL, true },
    { "alias", ENTRY_ALIAS, NULL, true },
    { "dl", ENTRY_DISTRIBUTION_LIST, NULL, true },
    { "domain", ENTRY_DOMAIN, NULL, false },
    { "cos", ENTRY_COS, NULL, false },
    { "server", ENTRY_SERVER, NULL, false },
    { "calresource", ENTRY_CALENDAR_RESOURCE, NULL, true },
    { "internalUserAccount", ENTRY_ACCOUNT,
      "(&(!(zimbraIsSystemResource=TRUE))(!(zimbraIsExternalVirtualAccount=TRUE)))", true },
};

HANDLER(run_count_objects)
{
    const char *word = argv[0];
    argc--, argv++;
    const char *domain_name = take_option(&argc, &argv, "-d");
    size_t t = 0;
    while (t < G_N_ELEMENTS(types) && g_ascii_strcasecmp(types[t].word, word) != 0)
        t++;
    if (t == G_N_ELEMENTS(types) || argc > 0)
        return usage_error(c, error);
    if (domain_name && !types[t].in_domain)
        return invalid(error, "objects of type %s are in no domain", word);
    directory *d = session_reader(s, error);
    g_autoptr(entry) domain = d && domain_name ? directory_domain(d, domain_name, error) : NULL;
    if (!d || (domain_name && !domain))
        return false;
    g_autofree char *base = domain ? g_strconcat("ou=people,", entry_dn(domain), NULL) : NULL;
    gint64 n = 0;
    if (!directory_count(d, types[t].kind, base, types[t].filter, &n, error))
        return false;
    printf("%" G_GINT64_FORMAT "\n", n);
    return true;
}
