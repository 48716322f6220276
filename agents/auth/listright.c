/* May a sender send to an address? Only distribution lists are restricted, and of
 * these only the ones with sendToDistList grants, on the list or on its domain
 * (guide: "Who Can Send to a Distribution List"). The list's own grants come
 * before its domain's. */
#include "agents/auth/decide.h"

#include <string.h>

#include "agents/auth/ace.h"
#include "lib/directory/directory.h"

#define RIGHT "sendToDistList"

typedef struct {
    directory *dir;
    const char *address;
    entry *account;          /* NULL: not one of ours */
    entry *domain;           /* the account's */
    GPtrArray *groups;       /* of directory_membership, read at the first group grant */
    GError *error;           /* the first failure of the directory */
} sender;

static bool is_absent(const GError *e)
{
    return g_error_matches(e, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH);
}

/* Keeps the first PROBLEM that is more than an absent object. */
static void note_problem(sender *s, GError *problem)
{
    if (problem && !is_absent(problem) && !s->error)
        s->error = problem;
    else
        g_clear_error(&problem);
}

static bool is_member(sender *s, const char *list_id)
{
    GError *problem = NULL;
    if (!s->groups)
        s->groups = directory_membership_ways(s->dir, s->address, &problem);
    note_problem(s, problem);
    for (guint i = 0; s->groups && i < s->groups->len; i++)
        if (g_strcmp0(((directory_membership *) s->groups->pdata[i])->list_id, list_id) == 0)
            return true;
    return false;
}

static bool matches(const ace *a, void *data)
{
    sender *s = data;
    switch (a->type) {
    case ACE_USER:
        return s->account && g_strcmp0(entry_id(s->account), a->grantee) == 0;
    case ACE_GUEST:
        return g_ascii_strcasecmp(s->address, a->grantee) == 0;
    case ACE_GROUP:
        return *s->address && is_member(s, a->grantee);
    case ACE_DOMAIN:
        return s->domain && g_strcmp0(entry_id(s->domain), a->grantee) == 0;
    case ACE_ALL:
        return s->account != NULL;
    case ACE_PUBLIC:
        return true;
    }
    return false;
}

static void sender_find(sender *s)
{
    GError *problem = NULL;
    if (*s->address)
        s->account = directory_account(s->dir, s->address, &problem);
    note_problem(s, g_steal_pointer(&problem));
    if (s->account && !s->error)
        s->domain = decider_domain_of(s->dir, entry_name(s->account), &problem);
    note_problem(s, problem);
}

static void sender_done(sender *s)
{
    if (s->account)
        entry_unref(s->account);
    if (s->domain)
        entry_unref(s->domain);
    if (s->groups)
        g_ptr_array_unref(s->groups);
    g_clear_error(&s->error);
}

static bool mentions_right(const entry *e)
{
    const char *const *values = entry_get_all_own(e, "zimbraACE");
    for (size_t i = 0; values[i]; i++) {
        g_autoptr(ace) a = ace_parse(values[i], RIGHT);
        if (a)
            return true;
    }
    return false;
}

static answer *judge(directory *dir, const question *q, const entry *list, const entry *domain)
{
    sender s = { .dir = dir, .address = q->sender };
    sender_find(&s);
    ace_verdict v = s.error ? ACE_NOT_GRANTED
                            : ace_evaluate(entry_get_all_own(list, "zimbraACE"), RIGHT, matches, &s);
    if ((v == ACE_NOT_GRANTED || v == ACE_NO_GRANT) && domain && !s.error) {
        ace_verdict wider = ace_evaluate(entry_get_all_own(domain, "zimbraACE"), RIGHT, matches, &s);
        v = wider == ACE_NO_GRANT ? v : wider;
    }
    answer *a = s.error ? answer_new(AUTH_TEMPFAIL, s.error->message)
              : v == ACE_GRANTED ? answer_new(AUTH_OK, NULL)
              : answer_new(AUTH_DENIED, v == ACE_DENIED ? "denied by a grant" : "not among those granted sendToDistList");
    a->list = g_strdup(entry_name(list));
    sender_done(&s);
    return a;
}

/* Nothing that depends on the sender: may be cached for the address. */
static answer *unrestricted(const entry *list)
{
    answer *a = answer_new(AUTH_OK, NULL);
    a->keep = true;
    a->list = list ? g_strdup(entry_name(list)) : NULL;
    return a;
}

answer *decide_may_send(decider *d, const question *q)
{
    GError *problem = NULL;
    directory *dir = decider_directory(d, &problem);
    g_autoptr(entry) list = dir ? directory_recipient(dir, q->address, &problem) : NULL;
    g_autoptr(GError) error = problem;
    if (error)
        return is_absent(error) || g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID)
             ? unrestricted(NULL) : answer_new(AUTH_TEMPFAIL, error->message);
    if (entry_get_kind(list) != ENTRY_DISTRIBUTION_LIST && entry_get_kind(list) != ENTRY_DYNAMIC_GROUP)
        return unrestricted(NULL);
    g_autoptr(entry) domain = decider_domain_of(dir, entry_name(list), &error);
    if (error)
        return answer_new(AUTH_TEMPFAIL, error->message);
    if (!mentions_right(list) && !(domain && mentions_right(domain)))
        return unrestricted(list);
    return judge(dir, q, list, domain);
}
