/* What search keys say of a message, from its record alone as far as that goes. */
#include "agents/store/shard/imap/search.h"

static search_verdict verdict(bool yes)
{
    return yes ? SEARCH_YES : SEARCH_NO;
}

static search_verdict match_not(const search_key *k, const search_message *m)
{
    search_verdict v = search_match(g_ptr_array_index(k->children, 0), m);
    return v == SEARCH_UNKNOWN ? v : verdict(v == SEARCH_NO);
}

/* The first child that decides: NO for AND, YES for OR. */
static search_verdict match_all(const search_key *k, const search_message *m, search_verdict decides)
{
    search_verdict result = decides == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
    for (guint i = 0; i < k->children->len; i++) {
        search_verdict v = search_match(g_ptr_array_index(k->children, i), m);
        if (v == decides)
            return v;
        if (v == SEARCH_UNKNOWN)
            result = v;
    }
    return result;
}

/* The day that the Date field names, whatever its time and zone (RFC 9051 §6.4.4). */
static bool sent_day(const char *date, int64_t *ret)
{
    const char *day = date + strcspn(date, "0123456789");
    g_autofree char *copy = g_strdup(day);
    g_strdelimit(copy, " \t", '-');
    imap_cursor c = { .p = copy, .end = copy + strlen(copy) };
    return imap_date(&c, ret);
}

/* INTERNALDATE where the Date field is missing or bad. */
static search_verdict match_sent(const search_key *k, const search_message *m)
{
    if (!m->summary)
        return SEARCH_UNKNOWN;
    int64_t sent = m->summary->date ? m->summary->date : m->record->date;
    if (m->summary->envelope.date)
        (void) sent_day(m->summary->envelope.date, &sent);   /* as it is where that is no date */
    return verdict(k->kind == KEY_SENT_BEFORE ? sent < k->when : sent >= k->when);
}

static search_verdict match_text(const search_key *k, const search_message *m)
{
    if (!m->bytes)
        return SEARCH_UNKNOWN;
    if (k->kind == KEY_HEADER)
        return verdict(search_header(m, k->name, k->needle));
    return verdict((k->kind == KEY_TEXT && search_header(m, NULL, k->needle)) || search_body(m, k->needle));
}

search_verdict search_match(const search_key *k, const search_message *m)
{
    const message_record *r = m->record;
    switch (k->kind) {
    case KEY_AND: return match_all(k, m, SEARCH_NO);
    case KEY_OR: return match_all(k, m, SEARCH_YES);
    case KEY_NOT: return match_not(k, m);
    case KEY_ALL: return SEARCH_YES;
    case KEY_FLAGS: return verdict(r->flags & k->flags);
    case KEY_TAG: return verdict(((uint64_t) r->tags_hi << 32 | r->tags_lo) & k->tags);
    case KEY_RECENT: return verdict(m->recent);
    case KEY_NUMBERS: return verdict(imap_set_contains(k->set, m->number));
    case KEY_UIDS: return verdict(imap_set_contains(k->set, r->uid));
    case KEY_BEFORE: return verdict(r->date < k->when);
    case KEY_SINCE: return verdict(r->date >= k->when);
    case KEY_SENT_BEFORE:
    case KEY_SENT_SINCE: return match_sent(k, m);
    case KEY_LARGER: return verdict(r->size > k->size);
    case KEY_SMALLER: return verdict(r->size < k->size);
    case KEY_HEADER:
    case KEY_BODY:
    case KEY_TEXT: return match_text(k, m);
    }
    g_assert_not_reached();
}
