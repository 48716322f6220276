/* LIST with its extended forms (RFC 5258, 5819, 6154) and LSUB. */
#include "agents/store/shard/imap/cmd.h"

enum {
    SELECT_SUBSCRIBED = 1, SELECT_SPECIAL = 2, SELECT_RECURSIVE = 4,
    RETURN_SUBSCRIBED = 1, RETURN_CHILDREN = 2, RETURN_SPECIAL = 4, RETURN_STATUS = 8,
};

typedef struct {
    bool lsub, extended;
    unsigned select, returns, status;
    GPtrArray *patterns;       /* of char*, UTF-8, reference applied */
} list_request;

static void list_free(void *p)
{
    list_request *l = p;
    g_ptr_array_unref(l->patterns);
    g_free(l);
}

/* ---- matching ---- */

/* '*' is any run, '%' any run without the separator. REACH[i]: the pattern so far
 * matches the first i bytes of NAME. */
static bool matches(const char *pattern, const char *name)
{
    size_t len = strlen(name);
    g_autofree bool *reach = g_new0(bool, len + 1);
    reach[0] = true;
    for (; *pattern; pattern++) {
        if (*pattern == '*' || *pattern == '%') {
            for (size_t i = 0; i < len; i++)
                reach[i + 1] = reach[i + 1] || (reach[i] && (*pattern == '*' || name[i] != '/'));
        } else {
            for (size_t i = len; i > 0; i--)
                reach[i] = reach[i - 1] && name[i - 1] == *pattern;
            reach[0] = false;
        }
    }
    return reach[len];
}

static bool wanted_name(const list_request *l, const char *name)
{
    for (guint i = 0; i < l->patterns->len; i++)
        if (matches(g_ptr_array_index(l->patterns, i), name))
            return true;
    return false;
}

/* ---- answers ---- */

static bool is_below(const char *name, const char *parent)
{
    size_t len = strlen(parent);
    return strncmp(name, parent, len) == 0 && name[len] == '/';
}

static bool has_child(session *s, const folder_info *f, bool subscribed)
{
    const folder_info *other;
    for (unsigned i = 0; (other = mailbox_folder_at(s->mailbox, i)) != NULL; i++)
        if (is_below(other->name, f->name) && (!subscribed || other->subscribed))
            return true;
    return false;
}

static const struct { unsigned use; const char *flag; } uses[] = {
    { FOLDER_SENT, "\\Sent" }, { FOLDER_DRAFTS, "\\Drafts" }, { FOLDER_TRASH, "\\Trash" }, { FOLDER_JUNK, "\\Junk" },
};

static void put_special(GString *flags, unsigned special_use)
{
    for (size_t i = 0; i < G_N_ELEMENTS(uses); i++)
        if (special_use & uses[i].use)
            g_string_append_printf(flags, " %s", uses[i].flag);
}

static void put_folder(session *s, const list_request *l, const folder_info *f, bool only_children)
{
    g_autoptr(GString) flags = g_string_new(NULL);
    GString *out = session_out(s);
    if (f->noselect || (l->lsub && only_children))
        g_string_append(flags, " \\Noselect");
    if (!l->lsub) {
        g_string_append(flags, has_child(s, f, false) ? " \\HasChildren" : " \\HasNoChildren");
        if (f->subscribed && (l->select & SELECT_SUBSCRIBED || l->returns & RETURN_SUBSCRIBED))
            g_string_append(flags, " \\Subscribed");
        if (!l->extended || l->returns & RETURN_SPECIAL || l->select & SELECT_SPECIAL)
            put_special(flags, f->special_use);
    }
    g_string_append_printf(out, "* %s (%s) \"/\" ", l->lsub ? "LSUB" : "LIST", flags->len ? flags->str + 1 : "");
    imap_put_mailbox(out, f->name);
    if (l->select & SELECT_RECURSIVE && has_child(s, f, true))
        g_string_append(out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
    g_string_append(out, "\r\n");
    if (l->returns & RETURN_STATUS && !f->noselect)
        status_put(s, out, f, l->status);
}

static void consider(session *s, const list_request *l, const folder_info *f)
{
    bool children = l->select & SELECT_SUBSCRIBED && !f->subscribed && (l->lsub || l->select & SELECT_RECURSIVE) && has_child(s, f, true);
    if (l->select & SELECT_SUBSCRIBED && !f->subscribed && !children)
        return;
    if (l->select & SELECT_SPECIAL && !(f->special_use & ~(unsigned) FOLDER_INBOX))
        return;
    if (children && l->lsub) {   /* named only if '%' hides the subscribed child (RFC 9051 has no LSUB; RFC 3501 §6.3.9) */
        const folder_info *other;
        for (unsigned i = 0; (other = mailbox_folder_at(s->mailbox, i)) != NULL; i++)
            if (is_below(other->name, f->name) && other->subscribed && wanted_name(l, other->name))
                return;
    }
    if (wanted_name(l, f->name))
        put_folder(s, l, f, children);
}

static void answer(session *s, const list_request *l)
{
    const folder_info *f;
    for (unsigned i = 0; (f = mailbox_folder_at(s->mailbox, i)) != NULL; i++)
        consider(s, l, f);
    session_ok(s, "%s completed", s->command->name);
}

static void on_durable(int r, void *data)
{
    session *s = data;
    if (!s->closed)
        answer(s, s->state);
    session_unref(s);
}

/* ---- arguments ---- */

typedef struct { const char *word; unsigned bit; } option;
static const option select_options[] = {
    { "SUBSCRIBED", SELECT_SUBSCRIBED }, { "SPECIAL-USE", SELECT_SPECIAL }, { "RECURSIVEMATCH", SELECT_RECURSIVE }, { "REMOTE", 0 }, { NULL, 0 },
};
static const option return_options[] = {
    { "SUBSCRIBED", RETURN_SUBSCRIBED }, { "CHILDREN", RETURN_CHILDREN }, { "SPECIAL-USE", RETURN_SPECIAL }, { "STATUS", RETURN_STATUS }, { NULL, 0 },
};

static bool take_options(imap_cursor *args, const option *options, unsigned *ret, unsigned *ret_status)
{
    if (!imap_take(args, '('))
        return false;
    if (imap_take(args, ')'))
        return true;
    do {
        const option *o = options;
        while (o->word && !imap_take_word(args, o->word))
            o++;
        if (!o->word)
            return false;
        *ret |= o->bit;
        if (ret_status && o->bit == RETURN_STATUS && (!imap_take(args, ' ') || !status_items(args, ret_status)))
            return false;
    } while (imap_take(args, ' '));
    return imap_take(args, ')');
}

/* A pattern with the reference before it. INBOX is written in upper case by the
 * store, and meant in any case. */
static bool add_pattern(list_request *l, const char *reference, const char *pattern)
{
    g_autofree char *whole = g_strconcat(reference, pattern, NULL);
    char *utf8 = imap_utf7_decode(whole);
    if (!utf8)
        return false;
    if (g_ascii_strncasecmp(utf8, "INBOX", 5) == 0 && strchr("/", utf8[5]))
        memcpy(utf8, "INBOX", 5);
    g_ptr_array_add(l->patterns, utf8);
    return true;
}

static bool take_patterns(imap_cursor *args, list_request *l, const char *reference, bool *ret_empty)
{
    bool list = !l->lsub && imap_take(args, '(');
    l->extended = l->extended || list;
    do {
        const char *pattern = imap_list_mailbox(args);
        if (!pattern || l->patterns->len >= 100 || strlen(pattern) > 1000)
            return false;
        *ret_empty = !list && !*pattern;
        /* a name that cannot be decoded matches nothing */
        (void) add_pattern(l, reference, pattern);
    } while (list && imap_take(args, ' '));
    return !list || imap_take(args, ')');
}

static bool parse(imap_cursor *args, list_request *l, bool *ret_empty)
{
    if (!imap_take(args, ' '))
        return false;
    if (!l->lsub && imap_next_is(args, '(')) {
        l->extended = true;
        if (!take_options(args, select_options, &l->select, NULL) || !imap_take(args, ' '))
            return false;
    }
    const char *reference = imap_astring(args);
    if (!reference || strlen(reference) > 1000 || !imap_take(args, ' ') || !take_patterns(args, l, reference, ret_empty))
        return false;
    if (!l->lsub && imap_take(args, ' ')) {
        l->extended = true;
        if (!imap_take_word(args, "RETURN") || !imap_take(args, ' ') || !take_options(args, return_options, &l->returns, &l->status))
            return false;
    }
    bool lonely = l->select & SELECT_RECURSIVE && !(l->select & ~(unsigned) SELECT_RECURSIVE);   /* RFC 5258 §3.1 */
    return imap_at_end(args) && !lonely;
}

static void list(session *s, imap_cursor *args, bool lsub)
{
    list_request *l = g_new0(list_request, 1);
    *l = (list_request) { .lsub = lsub, .select = lsub ? SELECT_SUBSCRIBED : 0, .patterns = g_ptr_array_new_with_free_func(g_free) };
    session_set_state(s, l, list_free);
    bool empty = false;
    if (!parse(args, l, &empty)) {
        session_bad(s, "Malformed %s", s->command->name);
    } else if (empty && !l->extended) {   /* asks for the separator */
        g_string_append_printf(session_out(s), "* %s (\\Noselect) \"/\" \"\"\r\n", s->command->name);
        session_ok(s, "%s completed", s->command->name);
    } else {
        mailbox_barrier(s->mailbox, on_durable, session_ref(s));
    }
}

void cmd_list(session *s, imap_cursor *args)
{
    list(s, args, false);
}

void cmd_lsub(session *s, imap_cursor *args)
{
    list(s, args, true);
}
