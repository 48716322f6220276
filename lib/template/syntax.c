/* Target syntaxes: which characters of a value would change the meaning of the
 * file it is written into, and how each target quotes. The table is the one in
 * docs/admin/templates.md. Knows nothing of templates. */
#include "lib/template/internal.h"

#include <string.h>

/* OUT gets VALUE with ESCAPE before each character of SPECIAL. */
static void escape_into(GString *out, const char *value, const char *special, char escape)
{
    for (const char *p = value; *p; p++) {
        if (strchr(special, *p))
            g_string_append_c(out, escape);
        g_string_append_c(out, *p);
    }
}

static bool quote_postfix(const char *value, GString *out)
{
    escape_into(out, value, "$", '$');
    return true;
}

static bool quote_mastercf(const char *value, GString *out)
{
    if (strpbrk(value, "{}"))
        return false;
    g_string_append(out, "{ ");
    escape_into(out, value, "$", '$');
    g_string_append(out, " }");
    return true;
}

static bool quote_nginx(const char *value, GString *out)
{
    if (strchr(value, '$'))
        return false;
    g_string_append_c(out, '"');
    escape_into(out, value, "\"\\", '\\');
    g_string_append_c(out, '"');
    return true;
}

static bool quote_perl(const char *value, GString *out)
{
    g_string_append_c(out, '\'');
    escape_into(out, value, "'\\", '\\');
    g_string_append_c(out, '\'');
    return true;
}

static bool quote_keyfile(const char *value, GString *out)
{
    const char *p = value;
    for (; *p == ' '; p++)              /* GKeyFile drops leading blanks */
        g_string_append(out, "\\s");
    escape_into(out, p, "\\;", '\\');
    return true;
}

static bool quote_words(const char *value, GString *out)
{
    return false;
}

static bool quote_clamd(const char *value, GString *out)
{
    if (strpbrk(value, "\"\\"))
        return false;
    g_string_append_printf(out, "\"%s\"", value);
    return true;
}

const target_syntax target_syntax_plain = { "plain", "", NULL };

static const target_syntax table[] = {
    { "postfix",  "${}",        quote_postfix },
    { "mastercf", "${} \"",     quote_mastercf },
    { "ldapmap",  "${}",        quote_postfix },
    { "nginx",    ";{}\"'\\#$", quote_nginx },
    { "perl",     "'\"\\`;{}$", quote_perl },
    { "keyfile",  "\\;",        quote_keyfile },
    { "words",    " #\"'\\",    quote_words },
    { "clamd",    "#\"",        quote_clamd },
};

const target_syntax *target_syntax_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_str_equal(table[i].name, name))
            return &table[i];
    return NULL;
}

char target_syntax_offending(const target_syntax *syntax, const char *value)
{
    for (const char *p = value; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr(syntax->refused, *p))
            return *p;
    return 0;
}
