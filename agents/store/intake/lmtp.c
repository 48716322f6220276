/* Syntax of LMTP: see lmtp.h. */
#include "agents/store/intake/lmtp.h"

#include <errno.h>
#include <string.h>

/* ---- command lines ---- */

void lmtp_line_init(lmtp_line *l, size_t max)
{
    *l = (lmtp_line) { .text = g_string_new(NULL), .max = max };
}

void lmtp_line_done(lmtp_line *l)
{
    g_string_free(l->text, TRUE);
}

void lmtp_line_next(lmtp_line *l)
{
    g_string_truncate(l->text, 0);
}

int lmtp_line_feed(lmtp_line *l, const char *bytes, size_t len, size_t *ret_used)
{
    const char *nl = memchr(bytes, '\n', len);
    size_t n = nl ? (size_t) (nl - bytes) : len;
    *ret_used = nl ? n + 1 : n;
    if (l->overlong || n > l->max - l->text->len) {
        l->overlong = !nl;
        g_string_truncate(l->text, 0);
        return nl ? -EMSGSIZE : 0;
    }
    g_string_append_len(l->text, bytes, (gssize) n);
    if (!nl)
        return 0;
    if (l->text->len && l->text->str[l->text->len - 1] == '\r')
        g_string_truncate(l->text, l->text->len - 1);
    return 1;
}

/* ---- commands ---- */

typedef void (*argument_parser)(const char *s, lmtp_command *c);

static void no_argument(const char *s, lmtp_command *c)
{
    if (*s)
        c->reply = "501 5.5.4 This command takes no argument";
}

static void any_argument(const char *s, lmtp_command *c)
{
    c->argument = s;
}

static void some_argument(const char *s, lmtp_command *c)
{
    c->argument = s;
    if (!*s)
        c->reply = "501 5.5.4 An argument is missing";
}

/* Length of the source route "@a,@b:" at S (RFC 5321 §4.1.2), which is ignored. */
static size_t route_length(const char *s)
{
    size_t n = *s == '@' ? strcspn(s, ":>\" ") : 0;
    return n && s[n] == ':' ? n + 1 : 0;
}

/* "<path>" at *S; *S is moved behind it. False: not a path. */
static bool parse_path(const char **s, char out[LMTP_PATH_MAX])
{
    const char *p = *s;
    while (*p == ' ')
        p++;
    if (*p++ != '<')
        return false;
    p += route_length(p);
    bool quoted = false;
    size_t n = 0;
    for (; *p && (quoted || *p != '>'); p++) {
        if (n + 2 >= LMTP_PATH_MAX || (guchar) *p < 0x20 || *p == 0x7f || (!quoted && strchr(" <(),;", *p)))
            return false;
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p[1] >= 0x20)
            out[n++] = *p++;
        out[n++] = *p;
    }
    out[n] = 0;
    *s = p + 1;
    return *p == '>' && g_utf8_validate(out, (gssize) n, NULL);
}

static bool size_value(const char *value, lmtp_command *c)
{
    return value && g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &c->size, NULL);
}

static bool body_value(const char *value, lmtp_command *c)
{
    return value && (g_ascii_strcasecmp(value, "7BIT") == 0 || g_ascii_strcasecmp(value, "8BITMIME") == 0);
}

static bool bare(const char *value, lmtp_command *c)
{
    return !value;
}

static bool ignored(const char *value, lmtp_command *c)
{
    return true;
}

static const struct parameter {
    const char *name;
    lmtp_verb verb;
    bool (*value)(const char *value, lmtp_command *c);
} parameters[] = {
    { "SIZE",     LMTP_MAIL, size_value },
    { "BODY",     LMTP_MAIL, body_value },
    { "SMTPUTF8", LMTP_MAIL, bare },
    { "RET",      LMTP_MAIL, ignored },
    { "ENVID",    LMTP_MAIL, ignored },
    { "AUTH",     LMTP_MAIL, ignored },
    { "NOTIFY",   LMTP_RCPT, ignored },
    { "ORCPT",    LMTP_RCPT, ignored },
};

static const char *parse_parameter(char *word, lmtp_command *c)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++)
        if (parameters[i].verb == c->verb && g_ascii_strcasecmp(parameters[i].name, word) == 0)
            return parameters[i].value(value, c) ? NULL : "501 5.5.4 Bad value of a parameter";
    return "555 5.5.4 Unknown parameter";
}

static void parse_parameters(const char *s, lmtp_command *c)
{
    if (*s && *s != ' ') {
        c->reply = "501 5.5.4 Unexpected text behind the address";
        return;
    }
    g_auto(GStrv) words = g_strsplit(s, " ", 32);
    for (char **w = words; *w && !c->reply; w++)
        if (**w)
            c->reply = parse_parameter(*w, c);
}

static void path_argument(const char *s, const char *keyword, lmtp_command *c)
{
    size_t n = strlen(keyword);
    if (g_ascii_strncasecmp(s, keyword, n) != 0) {
        c->reply = c->verb == LMTP_MAIL ? "501 5.5.4 Syntax: MAIL FROM:<address>" : "501 5.5.4 Syntax: RCPT TO:<address>";
        return;
    }
    s += n;
    if (!parse_path(&s, c->path))
        c->reply = c->verb == LMTP_MAIL ? "501 5.1.7 Bad sender address syntax" : "501 5.1.3 Bad recipient address syntax";
    else
        parse_parameters(s, c);
}

static void mail_argument(const char *s, lmtp_command *c)
{
    path_argument(s, "FROM:", c);
}

static void rcpt_argument(const char *s, lmtp_command *c)
{
    path_argument(s, "TO:", c);
    if (!c->reply && !*c->path)
        c->reply = "501 5.1.3 The recipient is empty";
}

static const struct { const char *name; argument_parser parse; } verbs[LMTP_VERBS] = {
    [LMTP_LHLO] = { "LHLO", some_argument },
    [LMTP_MAIL] = { "MAIL", mail_argument },
    [LMTP_RCPT] = { "RCPT", rcpt_argument },
    [LMTP_DATA] = { "DATA", no_argument },
    [LMTP_RSET] = { "RSET", no_argument },
    [LMTP_NOOP] = { "NOOP", any_argument },
    [LMTP_QUIT] = { "QUIT", no_argument },
    [LMTP_VRFY] = { "VRFY", some_argument },
    [LMTP_HELO] = { "HELO", any_argument },
    [LMTP_EHLO] = { "EHLO", any_argument },
};

void lmtp_command_parse(const char *line, size_t len, lmtp_command *ret)
{
    memset(ret, 0, offsetof(lmtp_command, path) + 1);
    ret->size = 0;
    ret->reply = NULL;
    ret->argument = "";
    ret->verb = LMTP_VERBS;
    size_t n = strcspn(line, " ");
    if (strlen(line) != len) {
        ret->reply = "500 5.5.2 NUL in a command line";
        return;
    }
    for (lmtp_verb v = 0; v < LMTP_VERBS && ret->verb == LMTP_VERBS; v++)
        if (strlen(verbs[v].name) == n && g_ascii_strncasecmp(line, verbs[v].name, n) == 0)
            ret->verb = v;
    if (ret->verb == LMTP_VERBS) {
        ret->reply = "500 5.5.2 Unknown command";
        return;
    }
    const char *argument = line + n;
    while (*argument == ' ')
        argument++;
    verbs[ret->verb].parse(argument, ret);
}

/* ---- text after DATA ---- */

enum { LINE_START, TEXT, SEEN_CR, SEEN_DOT, SEEN_DOT_CR, ENDED };

void lmtp_data_init(lmtp_data *d)
{
    d->state = LINE_START;
}

/* [START, P) is text not yet emitted. A dot (and the CR behind it) is held back
 * by moving START past it; a held CR that turns out to be text is emitted apart. */
int lmtp_data_feed(lmtp_data *d, const char *bytes, size_t len, size_t *ret_used, lmtp_emit emit, void *data)
{
    const char *start = bytes, *p = bytes, *end = bytes + len;
    while (p < end && d->state != ENDED) {
        switch (d->state) {
        case LINE_START:
            d->state = *p == '.' ? SEEN_DOT : TEXT;
            if (d->state == SEEN_DOT) {
                if (p > start)
                    emit(start, (size_t) (p - start), data);
                start = ++p;
            }
            break;
        case TEXT: {
            const char *cr = memchr(p, '\r', (size_t) (end - p));
            d->state = cr ? SEEN_CR : TEXT;
            p = cr ? cr + 1 : end;
            break;
        }
        case SEEN_CR:
            d->state = *p == '\n' ? LINE_START : *p == '\r' ? SEEN_CR : TEXT;
            p++;
            break;
        case SEEN_DOT:
            d->state = *p == '\r' ? SEEN_DOT_CR : TEXT;
            if (d->state == SEEN_DOT_CR)
                start = ++p;
            break;
        case SEEN_DOT_CR:
            d->state = *p == '\n' ? ENDED : SEEN_CR;
            if (d->state == ENDED)
                start = ++p;
            else
                emit("\r", 1, data);
            break;
        }
    }
    if (p > start)
        emit(start, (size_t) (p - start), data);
    *ret_used = (size_t) (p - bytes);
    return d->state == ENDED;
}

/* ---- spam flag ---- */

static void spam_line(spam_watch *w)
{
    static const char name[] = "X-Spam-Flag:";
    if (w->len && w->line[w->len - 1] == '\r')
        w->len--;
    if (w->len == 0) {
        w->done = true;
        return;
    }
    if (w->len < sizeof name - 1 || g_ascii_strncasecmp(w->line, name, sizeof name - 1) != 0)
        return;
    w->done = true;
    g_autofree char *value = g_strndup(w->line + sizeof name - 1, w->len - (sizeof name - 1));
    w->yes = g_ascii_strcasecmp(g_strstrip(value), "YES") == 0;
}

void spam_watch_feed(spam_watch *w, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && !w->done; i++) {
        if (bytes[i] == '\n') {
            spam_line(w);
            w->len = 0;
        } else if (w->len < sizeof w->line) {
            w->line[w->len++] = bytes[i];
        }
    }
}
