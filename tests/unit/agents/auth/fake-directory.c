/* See fake-directory.h. Only what zmauthd calls is here. */
#include "tests/unit/agents/auth/fake-directory.h"

#include "agents/auth/bind.h"

struct entry {
    entry_kind kind;
    char *name, *id, *dn;
    GHashTable *attrs;      /* name -> GPtrArray of char, NULL-terminated */
};

struct directory { int unused; };
struct binder { int unused; };

static GPtrArray *entries;
static GHashTable *members; /* "member list_id" */
static bool is_away;
static unsigned binds;

G_DEFINE_QUARK(directory-error-quark, directory_error)

static void entry_free(void *p)
{
    entry *e = p;
    g_free(e->name);
    g_free(e->id);
    g_free(e->dn);
    g_hash_table_unref(e->attrs);
    g_free(e);
}

void fake_reset(void)
{
    g_clear_pointer(&entries, g_ptr_array_unref);
    g_clear_pointer(&members, g_hash_table_unref);
    entries = g_ptr_array_new_with_free_func(entry_free);
    members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    is_away = false;
    binds = 0;
}

static void add_value(entry *e, const char *attr, const char *value)
{
    GPtrArray *all = g_hash_table_lookup(e->attrs, attr);
    if (!all) {
        all = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(all, NULL);
        g_hash_table_insert(e->attrs, g_strdup(attr), all);
    }
    g_ptr_array_insert(all, (gint) all->len - 1, g_strdup(value));
}

void fake_set(entry *e, const char *attr, const char *value)
{
    g_hash_table_remove(e->attrs, attr);
    if (value)
        add_value(e, attr, value);
}

entry *fake_add(entry_kind kind, const char *name, const char *id, ...)
{
    entry *e = g_new0(entry, 1);
    *e = (entry) { .kind = kind, .name = g_strdup(name), .id = g_strdup(id), .dn = g_strdup_printf("uid=%s", name),
                   .attrs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref) };
    va_list ap;
    va_start(ap, id);
    for (const char *attr; (attr = va_arg(ap, const char *)) != NULL; )
        add_value(e, attr, va_arg(ap, const char *));
    va_end(ap);
    g_ptr_array_add(entries, e);
    return e;
}

void fake_outage(bool away)
{
    is_away = away;
}

void fake_member(const char *member, const char *list_id)
{
    g_hash_table_add(members, g_strdup_printf("%s %s", member, list_id));
}

unsigned fake_binds(void)
{
    return binds;
}

/* ---- lib/directory ---- */

static bool is_kind(const entry *e, unsigned kinds)
{
    return (kinds & (1u << e->kind)) != 0;
}

static bool answers_to(const entry *e, const char *name)
{
    return g_ascii_strcasecmp(e->name, name) == 0 || g_strcmp0(e->id, name) == 0 ||
           entry_has_value(e, "zimbraMailAlias", name);
}

static entry *find(const char *name, unsigned kinds, GError **error)
{
    for (guint i = 0; !is_away && i < entries->len; i++) {
        entry *e = entries->pdata[i];
        if (is_kind(e, kinds) && answers_to(e, name))
            return e;
    }
    g_set_error(error, DIRECTORY_ERROR, is_away ? DIRECTORY_ERROR_UNAVAILABLE : DIRECTORY_ERROR_NO_SUCH, "%s: %s", name,
                is_away ? "no connection" : "no such object");
    return NULL;
}

directory *directory_open(localconfig *lc, directory_mode mode, GError **error)
{
    if (!is_away)
        return g_new0(directory, 1);
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_UNAVAILABLE, "no connection");
    return NULL;
}

void directory_close(directory *d)
{
    g_free(d);
}

void directory_set_cache(directory *d, unsigned max_age_ms)
{
}

void directory_flush(directory *d)
{
}

entry *directory_global_config(directory *d, GError **error)
{
    return find("config", 1u << ENTRY_GLOBAL_CONFIG, error);
}

entry *directory_server(directory *d, const char *name, GError **error)
{
    return find(name, 1u << ENTRY_SERVER, error);
}

entry *directory_domain(directory *d, const char *name, GError **error)
{
    return find(name, 1u << ENTRY_DOMAIN, error);
}

entry *directory_account(directory *d, const char *name, GError **error)
{
    return find(name, 1u << ENTRY_ACCOUNT, error);
}

entry *directory_recipient(directory *d, const char *address, GError **error)
{
    return find(address, 1u << ENTRY_ACCOUNT | 1u << ENTRY_DISTRIBUTION_LIST, error);
}

static void membership_free(void *p)
{
    g_free(((directory_membership *) p)->list_id);
    g_free(p);
}

GPtrArray *directory_membership_ways(directory *d, const char *address, GError **error)
{
    GPtrArray *ways = g_ptr_array_new_with_free_func(membership_free);
    GHashTableIter i;
    gpointer key;
    g_hash_table_iter_init(&i, members);
    while (g_hash_table_iter_next(&i, &key, NULL)) {
        g_auto(GStrv) pair = g_strsplit(key, " ", 2);
        if (g_ascii_strcasecmp(pair[0], address) != 0)
            continue;
        directory_membership *way = g_new0(directory_membership, 1);
        way->list_id = g_strdup(pair[1]);
        g_ptr_array_add(ways, way);
    }
    return ways;
}

static void remove_value(entry *e, const char *attr, const char *value)
{
    GPtrArray *all = g_hash_table_lookup(e->attrs, attr);
    for (guint i = 0; all && i + 1 < all->len; i++)
        if (g_str_equal(all->pdata[i], value)) {
            g_ptr_array_remove_index(all, i);
            return;
        }
}

bool directory_modify_system(directory *d, entry *e, const attr_change *changes, size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        if (changes[i].attr[0] == '+')
            add_value(e, changes[i].attr + 1, changes[i].value);
        else if (changes[i].attr[0] == '-')
            remove_value(e, changes[i].attr + 1, changes[i].value);
        else
            fake_set(e, changes[i].attr, *changes[i].value ? changes[i].value : NULL);
    }
    return true;
}

char *directory_normalise_password(const char *password)
{
    return g_utf8_validate(password, -1, NULL) ? g_utf8_normalize(password, -1, G_NORMALIZE_NFC) : NULL;
}

entry *entry_ref(entry *e)
{
    return e;
}

void entry_unref(entry *e)
{
}

const char *entry_dn(const entry *e)
{
    return e->dn;
}

const char *entry_id(const entry *e)
{
    return e->id;
}

entry_kind entry_get_kind(const entry *e)
{
    return e->kind;
}

const char *entry_name(const entry *e)
{
    return e->name;
}

const char *const *entry_get_all_own(const entry *e, const char *attr)
{
    static const char *const none[] = { NULL };
    GPtrArray *all = g_hash_table_lookup(e->attrs, attr);
    return all ? (const char *const *) all->pdata : none;
}

const char *entry_get_own(const entry *e, const char *attr)
{
    return entry_get_all_own(e, attr)[0];
}

const char *entry_get(const entry *e, const char *attr)
{
    return entry_get_own(e, attr);
}

bool entry_get_bool(const entry *e, const char *attr, bool fallback)
{
    const char *text = entry_get(e, attr);
    return text ? g_str_equal(text, "TRUE") : fallback;
}

gint64 entry_get_int(const entry *e, const char *attr, gint64 fallback)
{
    const char *text = entry_get(e, attr);
    return text ? g_ascii_strtoll(text, NULL, 10) : fallback;
}

bool entry_has_value(const entry *e, const char *attr, const char *value)
{
    const char *const *all = entry_get_all_own(e, attr);
    for (; *all; all++)
        if (g_ascii_strcasecmp(*all, value) == 0)
            return true;
    return false;
}

/* ---- bind.c and localconfig ---- */

binder *binder_new(localconfig *lc)
{
    return g_new0(binder, 1);
}

void binder_free(binder *b)
{
    g_free(b);
}

bind_result binder_check(binder *b, const char *dn, const char *password, char **ret_reason)
{
    binds++;
    for (guint i = 0; !is_away && i < entries->len; i++) {
        entry *e = entries->pdata[i];
        if (g_str_equal(e->dn, dn))
            return g_strcmp0(entry_get(e, "userPassword"), password) == 0 ? BIND_RIGHT : BIND_WRONG;
    }
    *ret_reason = g_strdup("no connection");
    return BIND_UNAVAILABLE;
}

void localconfig_free(localconfig *lc)
{
}
