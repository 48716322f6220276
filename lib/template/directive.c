/* The directives: one row each, with the function that reads its arguments and
 * the one that gives its text. Meaning and arguments: docs/admin/templates.md. */
#include "lib/template/internal.h"

#include <math.h>
#include <string.h>

/* ---- reading arguments ---- */

static bool syntax_error(const template *t, const node *n, GError **error, const char *usage)
{
    template_set_error(t, n->line, TEMPLATE_ERROR_SYNTAX, error, "%s: expected %%%%%s%%%%", n->call->name, usage);
    return false;
}

static bool add_text(const template *t, node *n, const char *s, gsize len, GError **error)
{
    if (!n->args)
        n->args = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    text *arg = text_parse(t, n->line, s, len, n->syntax, error);
    if (arg)
        g_ptr_array_add(n->args, arg);
    return arg;
}

static bool parse_key_only(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ,", &n->key, error))
        return false;
    return !*rest || syntax_error(t, n, error, "name T:key");
}

/* T:key[,str[,v1,v2…]] */
static bool parse_comment(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ,", &n->key, error))
        return false;
    if (*rest && *rest != ',')
        return syntax_error(t, n, error, "name T:key[,str[,v1,v2...]]");
    if (!*rest)
        return add_text(t, n, "#", 1, error);
    rest++;
    gsize len = strcspn(rest, ",");
    if (!add_text(t, n, rest, len, error))
        return false;
    if (rest[len])
        n->set = g_strsplit(rest + len + 1, ",", 256);
    return true;
}

static bool number(const char **pos, double *ret)
{
    char *end;
    *ret = g_ascii_strtod(*pos, &end);
    bool ok = end != *pos && isfinite(*ret);
    *pos = end;
    return ok;
}

static bool parse_range(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ,", &n->key, error))
        return false;
    if (!number(&rest, &n->low) || !number(&rest, &n->high) || *rest)
        return syntax_error(t, n, error, "range T:key lo hi");
    return true;
}

static bool parse_freq(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ,", &n->key, error))
        return false;
    if (!number(&rest, &n->high) || *rest || n->high < 1 || n->high > 1e6)
        return syntax_error(t, n, error, "freq T:key total");
    return true;
}

/* T:key sep, with \n and \t in sep */
static bool parse_list(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ", &n->key, error))
        return false;
    if (*rest != ' ')
        return syntax_error(t, n, error, "list T:key separator");
    g_autoptr(GString) sep = g_string_new(rest + 1);
    g_string_replace(sep, "\\n", "\n", 0);
    g_string_replace(sep, "\\t", "\t", 0);
    return add_text(t, n, sep->str, sep->len, error);
}

/* SYNTAX T:key… */
static bool parse_quote(const template *t, node *n, const char *rest, GError **error)
{
    g_autofree char *name = g_strndup(rest, strcspn(rest, " "));
    n->quoting = target_syntax_find(name);
    rest += strlen(name);
    if (!n->quoting || *rest != ' ')
        return syntax_error(t, n, error, "quote postfix|mastercf|ldapmap|nginx|perl|keyfile|words|clamd T:key");
    if (g_str_equal(n->call->name, "quotelist"))
        return parse_list(t, n, rest + 1, error);
    return parse_key_only(t, n, rest + 1, error);
}

/* T:key text[, repl[, alt]], or with ^ for the comma */
static bool parse_contains(const template *t, node *n, const char *rest, GError **error)
{
    if (!key_ref_parse(t, n->line, &rest, " ", &n->key, error))
        return false;
    if (*rest != ' ')
        return syntax_error(t, n, error, "name T:key text[, replacement[, alternative]]");
    rest++;
    g_auto(GStrv) parts = g_strsplit(rest, strchr(rest, '^') ? "^" : ",", 3);
    if (!parts[0] || !*parts[0])
        return syntax_error(t, n, error, "name T:key text[, replacement[, alternative]]");
    for (char **s = parts; *s; s++) {
        const char *arg = s == parts ? *s : *s + strspn(*s, " ");
        if (!add_text(t, n, arg, strlen(arg), error))
            return false;
    }
    return true;
}

/* base T:key */
static bool parse_explode(const template *t, node *n, const char *rest, GError **error)
{
    const char *key = strrchr(rest, ' ');
    if (!key || key == rest)
        return syntax_error(t, n, error, "explode base T:key");
    if (!add_text(t, n, rest, key - rest, error))
        return false;
    key++;
    return key_ref_parse(t, n->line, &key, " ", &n->key, error);
}

/* ---- giving text ---- */

static const text *arg(const node *n, guint i)
{
    return n->args && i < n->args->len ? n->args->pdata[i] : NULL;
}

/* VALUE as it may stand in the file: quoted, or checked for harm. */
static bool put_value(render *r, const node *n, const char *value, GString *out, GError **error)
{
    char bad = target_syntax_offending(n->quoting ? &target_syntax_plain : n->syntax, value);
    if (bad) {
        g_autofree char *shown = g_ascii_isprint(bad) ? g_strdup_printf("\"%c\"", bad) : g_strdup_printf("control character %d", bad);
        template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "%s: a value holds %s, which %s text cannot carry unquoted; change the value or quote it",
                           n->key.key, shown, n->syntax->name);
        return false;
    }
    if (!n->quoting) {
        g_string_append(out, value);
        return true;
    }
    if (n->quoting->quote(value, out))
        return true;
    template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "%s: a value cannot be written in %s syntax; change the value",
                       n->key.key, n->quoting->name);
    return false;
}

static bool put_joined(render *r, const node *n, const char *sep, GString *out, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, n->line, &n->key, &fallback, error);
    if (!values)
        return false;
    for (const char *const *v = values; *v; v++) {
        if (v != values)
            g_string_append(out, sep);
        if (!put_value(r, n, *v, out, error))
            return false;
    }
    return true;
}

static bool eval_substitute(render *r, const node *n, GString *out, GError **error)
{
    return put_joined(r, n, " ", out, error);
}

static bool eval_list(render *r, const node *n, GString *out, GError **error)
{
    g_autoptr(GString) sep = g_string_new(NULL);
    return text_eval(r, arg(n, 0), sep, error) && put_joined(r, n, sep->str, out, error);
}

static bool eval_quote(render *r, const node *n, GString *out, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, n->line, &n->key, &fallback, error);
    if (!values)
        return false;
    g_autofree char *joined = g_strjoinv(" ", (char **) values);
    return put_value(r, n, joined, out, error);
}

static bool eval_explode(render *r, const node *n, GString *out, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, n->line, &n->key, &fallback, error);
    if (!values)
        return false;
    for (; *values; values++) {
        if (!text_eval(r, arg(n, 0), out, error))
            return false;
        g_string_append_c(out, ' ');
        if (!put_value(r, n, *values, out, error))
            return false;
        g_string_append_c(out, '\n');
    }
    return true;
}

/* The condition of comment and uncomment: truth, or membership in the set. */
static bool comment_holds(render *r, const node *n, bool *ret, GError **error)
{
    if (!n->set)
        return key_truth(r, n->line, &n->key, ret, error);
    const char *const *values = key_peek(r, &n->key);
    bool in = !values;
    if (!values && n->key.fallback)
        in = g_strv_contains((const char *const *) n->set, n->key.fallback);
    for (; values && *values && !in; values++)
        in = g_strv_contains((const char *const *) n->set, *values);
    *ret = in != n->key.negate;
    return true;
}

static bool eval_comment(render *r, const node *n, GString *out, GError **error)
{
    bool holds;
    if (!comment_holds(r, n, &holds, error))
        return false;
    bool want = g_str_equal(n->call->name, "comment");
    return holds != want || text_eval(r, arg(n, 0), out, error);
}

static bool put_truth(render *r, const node *n, const char *yes, const char *no, GString *out, GError **error)
{
    bool truth;
    if (!key_truth(r, n->line, &n->key, &truth, error))
        return false;
    g_string_append(out, truth ? yes : no);
    return true;
}

static bool eval_binary(render *r, const node *n, GString *out, GError **error)
{
    return put_truth(r, n, "1", "0", out, error);
}

static bool eval_truefalse(render *r, const node *n, GString *out, GError **error)
{
    return put_truth(r, n, "true", "false", out, error);
}

static bool eval_yesno(render *r, const node *n, GString *out, GError **error)
{
    return put_truth(r, n, "yes", "no", out, error);
}

/* The one value of the key as a number; *END is left at its unit. */
static bool number_value(render *r, const node *n, double *ret, const char **unit, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, n->line, &n->key, &fallback, error);
    if (!values)
        return false;
    static char empty[1];
    char *end = empty;
    double v = values[0] && !values[1] ? g_ascii_strtod(values[0], &end) : 0;
    if (end == empty || end == values[0] || !isfinite(v) || v < 0) {
        template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "%s: not a number", n->key.key);
        return false;
    }
    *ret = v;
    *unit = end;
    return true;
}

static bool eval_range(render *r, const node *n, GString *out, GError **error)
{
    double percent;
    const char *rest;
    if (!number_value(r, n, &percent, &rest, error))
        return false;
    if (*rest || percent > 100) {
        template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "%s: not a percentage from 0 to 100", n->key.key);
        return false;
    }
    double value = n->low + percent * (n->high - n->low) / 100;
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    value = round(value * 100) / 100;
    g_string_append(out, g_ascii_formatd(buffer, sizeof buffer, "%.10g", value));
    return true;
}

static bool eval_freq(render *r, const node *n, GString *out, GError **error)
{
    static const struct { const char *unit; double hours; } units[] = {
        { "", 1 }, { "h", 1 }, { "m", 1.0 / 60 }, { "s", 1.0 / 3600 }, { "d", 24 },
    };
    double period;
    const char *unit;
    if (!number_value(r, n, &period, &unit, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (!g_str_equal(unit, units[i].unit))
            continue;
        double hours = floor(period * units[i].hours + 1e-9);
        double times = hours > 0 ? floor(n->high / hours) : n->high;
        g_string_append_printf(out, "%d", (int) MAX(times, 1));
        return true;
    }
    template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "%s: \"%.10s\" is not a unit of time (s, m, h, d)", n->key.key, unit);
    return false;
}

static bool eval_contains(render *r, const node *n, GString *out, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, n->line, &n->key, &fallback, error);
    g_autoptr(GString) wanted = g_string_new(NULL);
    if (!values || !text_eval(r, arg(n, 0), wanted, error))
        return false;
    bool exact = g_str_equal(n->call->name, "exact"), found = false;
    for (; *values && !found; values++)
        found = exact ? g_str_equal(*values, wanted->str) : strstr(*values, wanted->str) != NULL;
    const text *chosen = found != n->key.negate ? (arg(n, 1) ? arg(n, 1) : arg(n, 0)) : arg(n, 2);
    return !chosen || text_eval(r, chosen, out, error);
}

const directive directive_substitute = { "substitution", .any_source = true, .eval = eval_substitute };
const directive directive_local = { "substitution", .any_source = true, .eval = eval_substitute };

static const directive table[] = {
    { "comment",   .parse = parse_comment,  .eval = eval_comment },
    { "uncomment", .parse = parse_comment,  .eval = eval_comment },
    { "binary",    .parse = parse_key_only, .eval = eval_binary },
    { "truefalse", .parse = parse_key_only, .eval = eval_truefalse },
    { "yesno",     .parse = parse_key_only, .eval = eval_yesno },
    { "range",     .parse = parse_range,    .eval = eval_range },
    { "freq",      .parse = parse_freq,     .eval = eval_freq },
    { "list",      .parse = parse_list,     .eval = eval_list },
    { "explode",   .parse = parse_explode,  .eval = eval_explode, .whole_line = true },
    { "contains",  .parse = parse_contains, .eval = eval_contains },
    { "exact",     .parse = parse_contains, .eval = eval_contains },
    { "quote",     .parse = parse_quote,    .eval = eval_quote },
    { "quotelist", .parse = parse_quote,    .eval = eval_list },
};

const directive *directive_find(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_str_equal(table[i].name, word))
            return &table[i];
    return NULL;
}
