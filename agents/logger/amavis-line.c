/* See amavis-line.h. Names of banned parts come from the message: the verdict is
 * read before them, and the ids only tie the line to a message of the trace. */
#include "agents/logger/amavis-line.h"

#include <string.h>

static const struct { const char *category; amavis_verdict verdict; } verdicts[] = {
    { "CLEAN", VERDICT_CLEAN }, { "SPAMMY", VERDICT_SPAM }, { "SPAM", VERDICT_SPAM }, { "INFECTED", VERDICT_VIRUS },
    { "BANNED", VERDICT_BANNED }, { "MTA-BLOCKED", VERDICT_FAILED }, { "TEMPFAIL", VERDICT_FAILED },
};

static void keep_id(char *to, span id)
{
    size_t n = 0;
    while (n < id.len && n < QUEUE_ID_MAX && g_ascii_isalnum(id.text[n]))
        n++;
    bool whole = n == id.len || id.text[n] == ',' || id.text[n] == ' ' || id.text[n] == '.';
    memcpy(to, id.text, whole ? n : 0);
    to[whole ? n : 0] = '\0';
}

static span from_mark(span s, gssize at, const char *mark)
{
    size_t skip = (size_t) at + strlen(mark);
    return (span) { s.text + skip, s.len - skip };
}

/* queued_as stands last; Queue-ID before what the sender chose. */
static void parse_ids(span rest, amavis_line *line)
{
    span before, after = rest;
    gssize at = span_last(rest, ", queued_as: ");
    if (at >= 0)
        keep_id(line->queued_as, from_mark(rest, at, ", queued_as: "));
    if (span_take(&after, "Queue-ID: ", &before))
        keep_id(line->queue_id, after);
    after = rest;
    if (span_take(&after, "Message-ID: ", &before) && span_starts(after, "<")) {
        span id = after;
        gssize end = span_last(after, ">, mail_id: ");
        line->message_id = end >= 0 ? (span) { id.text, (size_t) end + 1 } : (span) { "", 0 };
    }
    at = span_last(rest, ", Hits: ");
    if (at >= 0) {
        after = from_mark(rest, at, ", Hits: ");
        span_take(&after, ",", &line->hits);
    }
}

static void parse_verdict(span rest, amavis_line *line)
{
    span skipped, names;
    size_t n = 0;
    while (n < rest.len && (g_ascii_isupper(rest.text[n]) || rest.text[n] == '-'))
        n++;
    if (n == 0)
        return;
    line->kind = AMAVIS_VERDICT;
    line->category = (span) { rest.text, n };
    line->verdict = VERDICT_OTHER;
    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (span_is(line->category, verdicts[i].category))
            line->verdict = verdicts[i].verdict;
    rest = (span) { rest.text + n, rest.len - n };
    if (span_skip(&rest, " (") && span_take(&rest, ") {", &names))
        line->names = names;
    span after = rest;
    if (span_take(&after, " <", &skipped)) {
        after = (span) { after.text - 1, after.len + 1 };
        span_take_address(&after, &line->sender);
    }
    parse_ids(rest, line);
}

amavis_line amavis_parse(span text)
{
    static const span none = { "", 0 };
    amavis_line line = { .id = none, .category = none, .names = none, .sender = none, .message_id = none, .hits = none };
    if (!span_skip(&text, "(") || !span_take(&text, ") ", &line.id) || line.id.len > 40)
        return line;
    if (span_skip(&text, "...")) {
        line.kind = AMAVIS_MORE;
        parse_ids(text, &line);
    } else if (span_skip(&text, "Passed ")) {
        line.passed = true;
        parse_verdict(text, &line);
    } else if (span_skip(&text, "Blocked ")) {
        parse_verdict(text, &line);
    }
    return line;
}
