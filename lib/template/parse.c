/* Text of a template -> tree of nodes. Line by line: a line that is one block
 * keyword leaves nothing behind; every other line is cut into literals,
 * %%…%% calls and @@…@@ keys. Syntax errors name template and line.
 *
 * "%%name … %%inner%%%%": a directive whose text holds substitutions is told
 * from two directives on one line by its end: with "%%%%" there the nested
 * reading is tried first, else the flat one; the other serves when the first
 * is no valid sequence. */
#include "lib/template/internal.h"

#include <string.h>

typedef struct {
    template *t;
    unsigned line;
    const target_syntax *syntax;
    GPtrArray *open;        /* node*: blocks not yet closed, borrowed */
} parser;

void template_set_error(const template *t, unsigned line, int code, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, TEMPLATE_ERROR, code, "%s:%u: %s", t->name, line, what);
}

void key_ref_clear(key_ref *k)
{
    g_free(k->key);
    g_free(k->fallback);
}

static void branch_free(branch *b)
{
    key_ref_clear(&b->key);
    g_free(b->equal);
    g_ptr_array_unref(b->body);
    g_free(b);
}

void node_free(node *n)
{
    if (n->literal)
        g_string_free(n->literal, TRUE);
    g_clear_pointer(&n->branches, g_ptr_array_unref);
    g_clear_pointer(&n->args, g_ptr_array_unref);
    g_strfreev(n->set);
    key_ref_clear(&n->key);
    g_free(n);
}

static text *text_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) node_free);
}

static node *node_new(text *body, int kind, unsigned line)
{
    node *n = g_new0(node, 1);
    n->kind = kind;
    n->line = line;
    n->syntax = &target_syntax_plain;
    if (body)
        g_ptr_array_add(body, n);
    return n;
}

static void add_literal(text *body, unsigned line, const char *s, gsize len)
{
    if (!len)
        return;
    node *last = body->len ? body->pdata[body->len - 1] : NULL;
    if (last && last->kind == NODE_TEXT)
        g_string_append_len(last->literal, s, len);
    else
        node_new(body, NODE_TEXT, line)->literal = g_string_new_len(s, len);
}

static bool valid_key(const char *s, gsize len, bool path)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '.' && !(path && s[i] == '/'))
            return false;
    return len > 0 && len < 256 && s[0] != '.' && !g_strstr_len(s, len, "..");
}

static const struct { const char *word; template_source source; } sources[] = {
    { "VAR:", TEMPLATE_VAR }, { "LOCAL:", TEMPLATE_LOCAL },
    { "SERVICE:", TEMPLATE_SERVICE }, { "FILE:", TEMPLATE_FILE },
};

bool key_ref_parse(const template *t, unsigned line, const char **pos, const char *stop, key_ref *ret, GError **error)
{
    const char *p = *pos;
    bool negate = *p == '!', found = false;
    template_source source = TEMPLATE_VAR;

    p += negate;
    for (size_t i = 0; i < G_N_ELEMENTS(sources) && !found; i++)
        if ((found = g_str_has_prefix(p, sources[i].word))) {
            source = sources[i].source;
            p += strlen(sources[i].word);
        }
    if (!found) {
        template_set_error(t, line, TEMPLATE_ERROR_SYNTAX, error,
                           "\"%.40s\": expected VAR:, LOCAL:, SERVICE: or FILE: and a key", *pos);
        return false;
    }
    if (*p == '!' && !negate) {
        negate = true;
        p++;
    }
    gsize len = strcspn(p, stop), name = strcspn(p, "|");
    name = MIN(name, len);
    if (!valid_key(p, name, source == TEMPLATE_FILE)) {
        template_set_error(t, line, TEMPLATE_ERROR_SYNTAX, error, "\"%.*s\" is not a key", (int) MIN(len, 80), p);
        return false;
    }
    ret->source = source;
    ret->negate = negate;
    ret->key = g_strndup(p, name);
    ret->fallback = name < len ? g_strndup(p + name + 1, len - name - 1) : NULL;
    *pos = p + len;
    return true;
}

/* %%name%%, %%name|default%%, @@key@@, @@key|default@@ */
static bool parse_substitution(const template *t, node *n, const char *inner, const directive *d, GError **error)
{
    gsize name = strcspn(inner, "|");
    if (!valid_key(inner, name, false)) {
        template_set_error(t, n->line, TEMPLATE_ERROR_SYNTAX, error,
                           "\"%.60s\" is neither a directive nor the name of a value", inner);
        return false;
    }
    n->call = d;
    n->key.any = d == &directive_substitute;
    n->key.source = n->key.any ? TEMPLATE_VAR : TEMPLATE_LOCAL;
    n->key.key = g_strndup(inner, name);
    n->key.fallback = inner[name] ? g_strdup(inner + name + 1) : NULL;
    return true;
}

/* The inside of one %%…%%. */
static bool parse_call(const template *t, node *n, const char *inner, GError **error)
{
    g_autofree char *word = g_strndup(inner, strcspn(inner, " "));
    const directive *d = directive_find(word);
    if (!d)
        return parse_substitution(t, n, inner, &directive_substitute, error);
    const char *rest = inner + strlen(word);
    if (*rest != ' ') {
        template_set_error(t, n->line, TEMPLATE_ERROR_SYNTAX, error, "%s needs a key", word);
        return false;
    }
    n->call = d;
    return d->parse(t, n, rest + 1, error);
}

/* Cuts S into literals and calls. */
static bool parse_flat(const template *t, unsigned line, const char *s, gsize len, const target_syntax *syntax, text *body, GError **error)
{
    const char *p = s, *end = s + len, *literal = s;
    while (p + 1 < end) {
        if ((*p != '%' && *p != '@') || p[1] != *p) {
            p++;
            continue;
        }
        const char mark[3] = { *p, *p, 0 };
        const char *close = g_strstr_len(p + 2, end - p - 2, mark);
        if (!close) {
            if (*p == '@') {            /* "a@@b" alone is text */
                p += 2;
                continue;
            }
            template_set_error(t, line, TEMPLATE_ERROR_SYNTAX, error, "%%%% without its closing %%%% (write %%%%%%%% for a literal %%%%)");
            return false;
        }
        add_literal(body, line, literal, p - literal);
        if (close == p + 2) {
            add_literal(body, line, mark, 2);
        } else {
            g_autofree char *inner = g_strndup(p + 2, close - p - 2);
            node *n = node_new(body, NODE_CALL, line);
            n->syntax = syntax;
            if (!(*p == '@' ? parse_substitution(t, n, inner, &directive_local, error) : parse_call(t, n, inner, error)))
                return false;
        }
        literal = p = close + 2;
    }
    add_literal(body, line, literal, end - literal);
    return true;
}

text *text_parse(const template *t, unsigned line, const char *s, gsize len, const target_syntax *syntax, GError **error)
{
    g_autoptr(GPtrArray) body = text_new();
    return parse_flat(t, line, s, len, syntax, body, error) ? g_steal_pointer(&body) : NULL;
}

static text *current_body(parser *p)
{
    if (!p->open->len)
        return p->t->body;
    node *block = p->open->pdata[p->open->len - 1];
    branch *b = block->branches->pdata[block->branches->len - 1];
    return b->body;
}

/* A line that is one directive with substitutions in its texts; NULL when it
 * cannot be read so. */
static text *parse_nested(parser *p, const char *s, gsize len, GError **error)
{
    if (len <= 4 || !g_str_has_prefix(s, "%%") || memcmp(s + len - 2, "%%", 2))
        return NULL;
    g_autofree char *inner = g_strndup(s + 2, len - 4);
    g_autofree char *word = g_strndup(inner, strcspn(inner, " "));
    if (!directive_find(word))
        return NULL;
    g_autoptr(GPtrArray) line = text_new();
    node *n = node_new(line, NODE_CALL, p->line);
    n->syntax = p->syntax;
    return parse_call(p->t, n, inner, error) ? g_steal_pointer(&line) : NULL;
}

/* A line with text or calls. */
static bool parse_content(parser *p, const char *s, gsize len, GError **error)
{
    g_autoptr(GPtrArray) line = NULL;
    bool nested_first = len > 4 && g_str_has_suffix(s, "%%%%");

    if (nested_first)
        line = parse_nested(p, s, len, NULL);
    if (!line) {
        g_autoptr(GError) flat_error = NULL;
        line = text_parse(p->t, p->line, s, len, p->syntax, &flat_error);
        if (!line && !(line = parse_nested(p, s, len, NULL))) {
            g_propagate_error(error, g_steal_pointer(&flat_error));
            return false;
        }
    }
    bool own_line_end = false;
    for (guint i = 0; i < line->len; i++) {
        node *n = line->pdata[i];
        if (n->kind != NODE_CALL || !n->call->whole_line)
            continue;
        if (line->len > 1) {
            template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "%s must be alone on its line", n->call->name);
            return false;
        }
        own_line_end = true;
    }
    text *body = current_body(p);
    while (line->len) {
        node *n = g_ptr_array_steal_index(line, 0);
        if (n->kind == NODE_TEXT) {
            add_literal(body, p->line, n->literal->str, n->literal->len);
            node_free(n);
        } else {
            g_ptr_array_add(body, n);
        }
    }
    if (!own_line_end)
        add_literal(body, p->line, "\n", 1);
    return true;
}

/* ---- block keywords ---- */

typedef bool (*keyword_fn)(parser *p, const char *rest, test_kind test, GError **error);

static bool parse_test(parser *p, branch *b, const char *rest, test_kind test, GError **error)
{
    b->test = test;
    b->line = p->line;
    while (*rest == ' ')
        rest++;
    if (!key_ref_parse(p->t, p->line, &rest, " ", &b->key, error))
        return false;
    if (test == TEST_EQUAL) {
        if (*rest != ' ') {
            template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "ifeq needs a key and a text");
            return false;
        }
        b->equal = g_strdup(rest + 1);
    } else if (*rest) {
        template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "\"%.40s\" after the key", rest);
        return false;
    }
    return true;
}

static branch *branch_new(node *block)
{
    branch *b = g_new0(branch, 1);
    b->body = text_new();
    g_ptr_array_add(block->branches, b);
    return b;
}

static bool keyword_if(parser *p, const char *rest, test_kind test, GError **error)
{
    if (p->open->len >= TEMPLATE_MAX_NESTING) {
        template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "more than %d blocks inside each other", TEMPLATE_MAX_NESTING);
        return false;
    }
    node *block = node_new(current_body(p), NODE_BLOCK, p->line);
    block->branches = g_ptr_array_new_with_free_func((GDestroyNotify) branch_free);
    g_ptr_array_add(p->open, block);
    return parse_test(p, branch_new(block), rest, test, error);
}

/* The innermost block, which must be open and not past its else. */
static node *open_block(parser *p, const char *word, GError **error)
{
    node *block = p->open->len ? p->open->pdata[p->open->len - 1] : NULL;
    branch *last = block ? block->branches->pdata[block->branches->len - 1] : NULL;
    if (block && !last->otherwise)
        return block;
    template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, block ? "%s after else" : "%s without if", word);
    return NULL;
}

static bool keyword_elif(parser *p, const char *rest, test_kind test, GError **error)
{
    node *block = open_block(p, "elif", error);
    return block && parse_test(p, branch_new(block), rest, test, error);
}

static bool nothing_after(parser *p, const char *rest, const char *word, GError **error)
{
    if (!*rest)
        return true;
    template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "\"%.40s\" after %s", rest, word);
    return false;
}

static bool keyword_else(parser *p, const char *rest, test_kind test, GError **error)
{
    node *block = open_block(p, "else", error);
    if (!block || !nothing_after(p, rest, "else", error))
        return false;
    branch_new(block)->otherwise = true;
    return true;
}

static bool keyword_fi(parser *p, const char *rest, test_kind test, GError **error)
{
    if (!nothing_after(p, rest, "fi", error))
        return false;
    if (!p->open->len) {
        template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "fi without if");
        return false;
    }
    g_ptr_array_set_size(p->open, p->open->len - 1);
    return true;
}

static bool keyword_syntax(parser *p, const char *rest, test_kind test, GError **error)
{
    const target_syntax *syntax = *rest ? target_syntax_find(rest + 1) : NULL;
    if (!syntax) {
        template_set_error(p->t, p->line, TEMPLATE_ERROR_SYNTAX, error, "syntax:%.40s is not known", rest);
        return false;
    }
    p->syntax = syntax;
    return true;
}

static bool keyword_remark(parser *p, const char *rest, test_kind test, GError **error)
{
    return true;
}

static const struct { const char *word; keyword_fn fn; test_kind test; } keywords[] = {
    { "if", keyword_if, TEST_TRUE }, { "ifset", keyword_if, TEST_SET }, { "ifeq", keyword_if, TEST_EQUAL },
    { "elif", keyword_elif, TEST_TRUE }, { "elifset", keyword_elif, TEST_SET }, { "elifeq", keyword_elif, TEST_EQUAL },
    { "else", keyword_else, 0 }, { "fi", keyword_fi, 0 },
    { "syntax", keyword_syntax, 0 }, { "#", keyword_remark, 0 },
};

static bool parse_line(parser *p, const char *s, gsize len, GError **error)
{
    g_autofree char *line = g_strndup(s, len);
    g_autofree char *bare = g_strstrip(g_strdup(line));
    gsize n = strlen(bare);

    if (n > 4 && g_str_has_prefix(bare, "%%") && g_str_has_suffix(bare, "%%")) {
        g_autofree char *inner = g_strndup(bare + 2, n - 4);
        if (inner[0] == '#')
            return true;
        if (!strstr(inner, "%%")) {
            g_autofree char *word = g_strndup(inner, strcspn(inner, " "));
            for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++)
                if (g_str_equal(word, keywords[i].word))
                    return keywords[i].fn(p, inner + strlen(word), keywords[i].test, error);
        }
    }
    return parse_content(p, line, len, error);
}

template *template_parse(const char *name, const char *source, GError **error)
{
    g_autoptr(template) t = g_new0(template, 1);
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    parser p = { .t = t, .syntax = &target_syntax_plain, .open = open };

    t->name = g_strdup(name);
    t->body = text_new();
    if (strlen(source) > TEMPLATE_MAX_BYTES) {
        template_set_error(t, 1, TEMPLATE_ERROR_SYNTAX, error, "template is larger than %d bytes", TEMPLATE_MAX_BYTES);
        return NULL;
    }
    for (const char *s = source; *s;) {
        gsize len = strcspn(s, "\n");
        p.line++;
        if (!parse_line(&p, s, len, error))
            return NULL;
        s += len + (s[len] == '\n');
    }
    if (open->len) {
        node *block = open->pdata[open->len - 1];
        template_set_error(t, block->line, TEMPLATE_ERROR_SYNTAX, error, "if without fi");
        return NULL;
    }
    return g_steal_pointer(&t);
}
