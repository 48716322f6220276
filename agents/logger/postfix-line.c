/* See postfix-line.h. One parser a program, in a table. */
#include "agents/logger/postfix-line.h"

#include <string.h>

typedef void (*parse_fn)(span rest, postfix_line *line);

static bool is_queue_id(span s)
{
    if (s.len < 5 || s.len > QUEUE_ID_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isalnum(s.text[i]))
            return false;
    return true;
}

static bool keep_id(char *to, span id)
{
    if (!is_queue_id(id))
        return false;
    memcpy(to, id.text, id.len);
    to[id.len] = '\0';
    return true;
}

/* "key=value, " up to the next ", " or the end. */
static bool take_field(span *rest, const char *key, span *value)
{
    if (!span_skip(rest, key))
        return false;
    if (!span_take(rest, ", ", value)) {
        *value = *rest;
        *rest = (span) { rest->text + rest->len, 0 };
    }
    return true;
}

static void parse_client(span rest, postfix_line *line)
{
    span ignored, id = { "", 0 };
    if (!take_field(&rest, "client=", &line->client))
        return;
    line->kind = POSTFIX_CLIENT;
    take_field(&rest, "sasl_method=", &ignored);
    take_field(&rest, "sasl_username=", &line->user);
    take_field(&rest, "sasl_sender=", &ignored);
    if (take_field(&rest, "orig_queue_id=", &id))
        keep_id(line->other_id, id);
}

/* "RCPT from name[address]: 550 5.1.1 <a@b>: reason; from=<s> to=<r> proto=ESMTP helo=<h>" */
static void parse_reject(span rest, postfix_line *line)
{
    span stage;
    if (!span_take(&rest, " from ", &stage) || stage.len > 40)
        return;
    line->kind = POSTFIX_REJECT;
    if (!span_take(&rest, ": ", &line->client)) {
        line->client = (span) { "", 0 };
        line->text = rest;
        return;
    }
    span address;
    line->text = rest;
    if (rest.len > 4 && g_ascii_isdigit(rest.text[0]) && rest.text[3] == ' ') {
        line->status = (span) { rest.text, 3 };
        span after = { rest.text + 4, rest.len - 4 }, dsn;
        if (after.len > 1 && g_ascii_isdigit(after.text[0]) && after.text[1] == '.' && span_take(&after, " ", &dsn)) {
            line->dsn = dsn;
            rest = after;
        }
    }
    if (span_take_address(&rest, &address))
        span_skip(&rest, ": ");
    if (!span_take(&rest, "; from=", &line->text)) {
        line->text = rest;
        return;
    }
    if (span_take_address(&rest, &line->sender) && span_skip(&rest, " to="))
        span_take_address(&rest, &line->recipient);
}

static bool parse_any_reject(span rest, postfix_line *line)
{
    if (!span_skip(&rest, "reject: ") && !span_skip(&rest, "milter-reject: "))
        return false;
    if (span_skip(&rest, "header ") || span_skip(&rest, "body ")) {
        line->kind = POSTFIX_REJECT;
        line->text = rest;
    } else {
        parse_reject(rest, line);
    }
    return true;
}

static void parse_smtpd(span rest, postfix_line *line)
{
    if (!parse_any_reject(rest, line))
        parse_client(rest, line);
}

static void parse_pickup(span rest, postfix_line *line)
{
    span uid;
    if (!span_skip(&rest, "uid=") || !span_take(&rest, " from=", &uid))
        return;
    line->kind = POSTFIX_PICKUP;
    span_take_address(&rest, &line->sender);
}

static void parse_cleanup(span rest, postfix_line *line)
{
    if (parse_any_reject(rest, line) || !span_skip(&rest, "message-id="))
        return;
    line->kind = POSTFIX_MESSAGE_ID;
    line->message_id = rest;
}

static void parse_qmgr(span rest, postfix_line *line)
{
    span size, recipients;
    if (span_is(rest, "removed")) {
        line->kind = POSTFIX_REMOVED;
        return;
    }
    if (!span_skip(&rest, "from=") || !span_take_address(&rest, &line->sender))
        return;
    if (span_starts(rest, ", status=expired"))
        line->kind = POSTFIX_EXPIRED;
    else if (span_skip(&rest, ", size=") && span_take(&rest, ", nrcpt=", &size) && span_take(&rest, " ", &recipients) &&
             span_number(size, &line->size) && span_number(recipients, &line->recipients) && span_is(rest, "(queue active)"))
        line->kind = POSTFIX_ACTIVE;
}

/* The answer of the next hop, if it is a Postfix: "... queued as ID". */
static void parse_queued_as(postfix_line *line)
{
    static const char mark[] = "queued as ";
    gssize at = span_last(line->text, mark);
    if (at < 0)
        return;
    span id = { line->text.text + at + strlen(mark), line->text.len - (size_t) at - strlen(mark) };
    while (id.len && !g_ascii_isalnum(id.text[id.len - 1]))
        id.len--;
    keep_id(line->other_id, id);
}

static void parse_delivery(span rest, postfix_line *line)
{
    span ignored, original;
    if (!span_skip(&rest, "to=") || !span_take_address(&rest, &line->recipient) || !span_skip(&rest, ", "))
        return;
    if (span_skip(&rest, "orig_to=") && (!span_take_address(&rest, &original) || !span_skip(&rest, ", ")))
        return;
    if (!take_field(&rest, "relay=", &line->relay))
        return;
    take_field(&rest, "conn_use=", &ignored);
    if (!take_field(&rest, "delay=", &line->delay))
        return;
    take_field(&rest, "delays=", &ignored);
    take_field(&rest, "dsn=", &line->dsn);
    if (!span_skip(&rest, "status=") || !span_take(&rest, " ", &line->status))
        return;
    line->kind = POSTFIX_DELIVERY;
    span_skip(&rest, "(");
    if (span_ends(rest, ")"))
        rest.len--;
    line->text = rest;
    parse_queued_as(line);
}

static void parse_bounce(span rest, postfix_line *line)
{
    span what;
    if (span_take(&rest, " notification: ", &what) && what.len < 40 && keep_id(line->other_id, rest))
        line->kind = POSTFIX_NOTICE;
}

static void parse_postsuper(span rest, postfix_line *line)
{
    if (span_is(rest, "removed"))
        line->kind = POSTFIX_REMOVED;
}

static const struct { const char *program; parse_fn parse; } programs[] = {
    { "smtpd", parse_smtpd }, { "pickup", parse_pickup }, { "cleanup", parse_cleanup }, { "qmgr", parse_qmgr },
    { "lmtp", parse_delivery }, { "smtp", parse_delivery }, { "local", parse_delivery }, { "virtual", parse_delivery },
    { "pipe", parse_delivery }, { "error", parse_delivery }, { "discard", parse_delivery },
    { "bounce", parse_bounce }, { "postsuper", parse_postsuper },
};

static bool is_problem(span text)
{
    return span_starts(text, "warning: ") || span_starts(text, "error: ") || span_starts(text, "fatal: ") ||
           span_starts(text, "panic: ");
}

postfix_line postfix_parse(span ident, span text)
{
    static const span none = { "", 0 };
    postfix_line line = { .service = none, .program = none, .client = none, .user = none, .sender = none,
                          .recipient = none, .relay = none, .delay = none, .dsn = none, .status = none,
                          .text = none, .message_id = none };
    span part, id, rest = text;
    if (!span_starts(ident, "postfix") || !span_take(&ident, "/", &part))
        return line;
    while (span_take(&ident, "/", &part))
        line.service = part;
    line.program = ident;
    if (is_problem(text)) {
        line.kind = POSTFIX_PROBLEM;
        line.text = text;
        return line;
    }
    if (!span_take(&rest, ": ", &id) || (!keep_id(line.queue_id, id) && !span_is(id, "NOQUEUE")))
        return line;
    if (span_is(id, "NOQUEUE"))
        line.queue_id[0] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++)
        if (span_is(line.program, programs[i].program))
            programs[i].parse(rest, &line);
    if (!line.queue_id[0] && line.kind != POSTFIX_REJECT)
        line.kind = POSTFIX_OTHER;
    return line;
}
