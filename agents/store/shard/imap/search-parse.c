/* SEARCH's keys (RFC 9051 §6.4.4): a table of names with what follows them. */
#include "agents/store/shard/imap/search.h"

enum { MAX_DEPTH = 30, MAX_KEYS = 1000, DAY = 86400 };

typedef enum { ARG_NONE, ARG_DATE, ARG_NUMBER, ARG_STRING, ARG_KEYWORD, ARG_HEADER, ARG_UIDS, ARG_KEY, ARG_TWO_KEYS } argument;

typedef struct {
    const char *word;
    search_kind kind;
    argument arg;
    unsigned flags;
    const char *name;       /* HEADER's field */
    bool negated;
} key_word;

static const key_word words[] = {
    { "ALL", KEY_ALL, ARG_NONE, 0, NULL, false },
    { "ANSWERED", KEY_FLAGS, ARG_NONE, MSG_ANSWERED, NULL, false }, { "UNANSWERED", KEY_FLAGS, ARG_NONE, MSG_ANSWERED, NULL, true },
    { "DELETED", KEY_FLAGS, ARG_NONE, MSG_DELETED, NULL, false }, { "UNDELETED", KEY_FLAGS, ARG_NONE, MSG_DELETED, NULL, true },
    { "DRAFT", KEY_FLAGS, ARG_NONE, MSG_DRAFT, NULL, false }, { "UNDRAFT", KEY_FLAGS, ARG_NONE, MSG_DRAFT, NULL, true },
    { "FLAGGED", KEY_FLAGS, ARG_NONE, MSG_FLAGGED, NULL, false }, { "UNFLAGGED", KEY_FLAGS, ARG_NONE, MSG_FLAGGED, NULL, true },
    { "SEEN", KEY_FLAGS, ARG_NONE, MSG_SEEN, NULL, false }, { "UNSEEN", KEY_FLAGS, ARG_NONE, MSG_SEEN, NULL, true },
    { "RECENT", KEY_RECENT, ARG_NONE, 0, NULL, false }, { "OLD", KEY_RECENT, ARG_NONE, 0, NULL, true },
    { "KEYWORD", KEY_TAG, ARG_KEYWORD, 0, NULL, false }, { "UNKEYWORD", KEY_TAG, ARG_KEYWORD, 0, NULL, true },
    { "BEFORE", KEY_BEFORE, ARG_DATE, 0, NULL, false }, { "SINCE", KEY_SINCE, ARG_DATE, 0, NULL, false },
    { "SENTBEFORE", KEY_SENT_BEFORE, ARG_DATE, 0, NULL, false }, { "SENTSINCE", KEY_SENT_SINCE, ARG_DATE, 0, NULL, false },
    { "LARGER", KEY_LARGER, ARG_NUMBER, 0, NULL, false }, { "SMALLER", KEY_SMALLER, ARG_NUMBER, 0, NULL, false },
    { "FROM", KEY_HEADER, ARG_STRING, 0, "From", false }, { "TO", KEY_HEADER, ARG_STRING, 0, "To", false },
    { "CC", KEY_HEADER, ARG_STRING, 0, "Cc", false }, { "BCC", KEY_HEADER, ARG_STRING, 0, "Bcc", false },
    { "SUBJECT", KEY_HEADER, ARG_STRING, 0, "Subject", false }, { "HEADER", KEY_HEADER, ARG_HEADER, 0, NULL, false },
    { "BODY", KEY_BODY, ARG_STRING, 0, NULL, false }, { "TEXT", KEY_TEXT, ARG_STRING, 0, NULL, false },
    { "UID", KEY_UIDS, ARG_UIDS, 0, NULL, false },
    { "NOT", KEY_NOT, ARG_KEY, 0, NULL, false }, { "OR", KEY_OR, ARG_TWO_KEYS, 0, NULL, false },
};

typedef struct { imap_cursor *c; const search_context *context; unsigned keys; } parser;

static search_key *take_key(parser *p, unsigned depth);

static search_key *key_new(search_kind kind)
{
    search_key *k = g_new0(search_key, 1);
    k->kind = kind;
    return k;
}

static search_key *parent_of(search_kind kind, search_key *a, search_key *b)
{
    search_key *k = key_new(kind);
    k->children = g_ptr_array_new_with_free_func((GDestroyNotify) search_key_free);
    g_ptr_array_add(k->children, a);
    if (b)
        g_ptr_array_add(k->children, b);
    return k;
}

void search_key_free(search_key *k)
{
    if (!k)
        return;
    g_clear_pointer(&k->children, g_ptr_array_unref);
    g_clear_pointer(&k->set, g_array_unref);
    g_free(k->name);
    g_free(k->needle);
    g_free(k);
}

/* A day: from its start to before its end. */
static search_key *on_day(search_kind before, search_kind since, int64_t day)
{
    search_key *from = key_new(since), *to = key_new(before);
    from->when = day;
    to->when = day + DAY;
    return parent_of(KEY_AND, from, to);
}

static bool take_keyword(parser *p, search_key *k)
{
    static const struct { const char *name; unsigned flag; } fixed[] = {
        { "$Forwarded", MSG_FORWARDED }, { "$Junk", MSG_JUNK }, { "$NotJunk", MSG_NOTJUNK },
    };
    const char *name = imap_flag(p->c);
    for (size_t i = 0; name && i < G_N_ELEMENTS(fixed); i++)
        if (g_ascii_strcasecmp(name, fixed[i].name) == 0) {
            k->kind = KEY_FLAGS;
            k->flags = fixed[i].flag;
            return true;
        }
    int bit = name ? p->context->tag(name, p->context->data) : -1;
    k->tags = bit >= 0 ? UINT64_C(1) << bit : 0;
    return name != NULL;
}

static bool take_needle(parser *p, search_key *k)
{
    const char *s = imap_astring(p->c);
    k->needle = s ? search_fold(s, -1) : NULL;
    return s != NULL;
}

static bool take_set(parser *p, search_key *k, uint32_t max)
{
    k->set = imap_set(p->c);
    if (k->set)
        imap_set_resolve(k->set, max);
    return k->set != NULL;
}

static bool take_header(parser *p, search_key *k)
{
    const char *name = imap_astring(p->c);
    k->name = g_strdup(name);
    return name && imap_take(p->c, ' ') && take_needle(p, k);
}

static bool take_child(parser *p, search_key *k, unsigned depth)
{
    search_key *child = take_key(p, depth + 1);
    if (child)
        g_ptr_array_add(k->children, child);
    return child != NULL;
}

static bool take_argument(parser *p, search_key *k, const key_word *w, unsigned depth)
{
    if (w->arg != ARG_NONE && !imap_take(p->c, ' '))
        return false;
    switch (w->arg) {
    case ARG_NONE: return true;
    case ARG_DATE: return imap_date(p->c, &k->when);
    case ARG_NUMBER: return imap_number(p->c, &k->size);
    case ARG_STRING: return take_needle(p, k);
    case ARG_KEYWORD: return take_keyword(p, k);
    case ARG_HEADER: return take_header(p, k);
    case ARG_UIDS: return take_set(p, k, p->context->max_uid);
    case ARG_KEY: return take_child(p, k, depth);
    case ARG_TWO_KEYS: return take_child(p, k, depth) && imap_take(p->c, ' ') && take_child(p, k, depth);
    }
    g_assert_not_reached();
}

static search_key *take_word_key(parser *p, const key_word *w, unsigned depth)
{
    search_key *k = key_new(w->kind);
    k->flags = w->flags;
    k->name = g_strdup(w->name);
    if (w->arg == ARG_KEY || w->arg == ARG_TWO_KEYS)
        k->children = g_ptr_array_new_with_free_func((GDestroyNotify) search_key_free);
    if (!take_argument(p, k, w, depth)) {
        search_key_free(k);
        return NULL;
    }
    return w->negated ? parent_of(KEY_NOT, k, NULL) : k;
}

/* "key key key" up to the end or a parenthesis */
static search_key *take_keys(parser *p, unsigned depth)
{
    search_key *all = key_new(KEY_AND);
    all->children = g_ptr_array_new_with_free_func((GDestroyNotify) search_key_free);
    do {
        if (!take_child(p, all, depth)) {
            search_key_free(all);
            return NULL;
        }
    } while (imap_take(p->c, ' '));
    return all;
}

static search_key *take_numbers(parser *p)
{
    search_key *k = key_new(KEY_NUMBERS);
    if (take_set(p, k, p->context->max_number))
        return k;
    search_key_free(k);
    return NULL;
}

static search_key *take_group(parser *p, unsigned depth)
{
    search_key *k = take_keys(p, depth);
    if (k && !imap_take(p->c, ')')) {
        search_key_free(k);
        return NULL;
    }
    return k;
}

/* ON, SENTON and NEW are made of others. */
static search_key *take_composed(parser *p, bool *ret_taken)
{
    int64_t day;
    *ret_taken = true;
    if (imap_take_word(p->c, "ON"))
        return imap_take(p->c, ' ') && imap_date(p->c, &day) ? on_day(KEY_BEFORE, KEY_SINCE, day) : NULL;
    if (imap_take_word(p->c, "SENTON"))
        return imap_take(p->c, ' ') && imap_date(p->c, &day) ? on_day(KEY_SENT_BEFORE, KEY_SENT_SINCE, day) : NULL;
    if (imap_take_word(p->c, "NEW")) {
        search_key *seen = key_new(KEY_FLAGS);
        seen->flags = MSG_SEEN;
        return parent_of(KEY_AND, key_new(KEY_RECENT), parent_of(KEY_NOT, seen, NULL));
    }
    *ret_taken = false;
    return NULL;
}

static search_key *take_key(parser *p, unsigned depth)
{
    if (depth > MAX_DEPTH || ++p->keys > MAX_KEYS)
        return NULL;
    if (imap_take(p->c, '('))
        return take_group(p, depth + 1);
    if (imap_next_is(p->c, '*') || (p->c->p < p->c->end && g_ascii_isdigit(*p->c->p)))
        return take_numbers(p);
    bool taken;
    search_key *composed = take_composed(p, &taken);
    if (taken)
        return composed;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (imap_take_word(p->c, words[i].word))
            return take_word_key(p, &words[i], depth);
    return NULL;
}

search_status search_parse(imap_cursor *args, const search_context *context, search_key **ret)
{
    parser p = { .c = args, .context = context };
    if (!imap_take(args, ' '))
        return SEARCH_MALFORMED;
    if (imap_take_word(args, "CHARSET")) {
        const char *charset = imap_take(args, ' ') ? imap_astring(args) : NULL;
        if (!charset || !imap_take(args, ' '))
            return SEARCH_MALFORMED;
        if (g_ascii_strcasecmp(charset, "UTF-8") != 0 && g_ascii_strcasecmp(charset, "US-ASCII") != 0)
            return SEARCH_BAD_CHARSET;
    }
    search_key *k = take_keys(&p, 0);
    if (k && !imap_at_end(args)) {
        search_key_free(k);
        k = NULL;
    }
    if (!k)
        return SEARCH_MALFORMED;
    *ret = k;
    return SEARCH_OK;
}
