/* Reading and weighing of zimbraACE values: see ace.h. */
#include "agents/auth/ace.h"

#include <string.h>

static const struct { const char *code; ace_type type; } types[] = {
    { "usr", ACE_USER }, { "grp", ACE_GROUP }, { "dom", ACE_DOMAIN }, { "all", ACE_ALL },
    { "pub", ACE_PUBLIC }, { "gst", ACE_GUEST }, { "key", ACE_GUEST },
};

/* Most specific first; one row a rank. */
static const ace_type ranks[][2] = {
    { ACE_USER, ACE_GUEST }, { ACE_GROUP, ACE_GROUP }, { ACE_DOMAIN, ACE_DOMAIN },
    { ACE_ALL, ACE_ALL }, { ACE_PUBLIC, ACE_PUBLIC },
};

void ace_free(ace *a)
{
    if (!a)
        return;
    g_free(a->grantee);
    g_free(a);
}

/* The next word at *TEXT, which moves behind it; NULL at the end. */
static char *take_word(const char **text)
{
    const char *p = *text + strspn(*text, " \t"), *end;
    char *word;
    if (*p == '"') {
        end = strchr(p + 1, '"');
        if (!end)
            return NULL;
        word = g_strndup(p + 1, (gsize) (end - p - 1));
        *text = end + 1;
        return word;
    }
    end = p + strcspn(p, " \t");
    if (end == p)
        return NULL;
    *text = end;
    return g_strndup(p, (gsize) (end - p));
}

ace *ace_parse(const char *text, const char *right)
{
    g_autofree char *grantee = take_word(&text);
    g_autofree char *code = grantee ? take_word(&text) : NULL;
    g_autofree char *what = code ? take_word(&text) : NULL;
    if (!what)
        return NULL;
    size_t modifiers = strspn(what, "-+*"), i = 0;
    if (g_ascii_strcasecmp(what + modifiers, right) != 0)
        return NULL;
    while (i < G_N_ELEMENTS(types) && g_ascii_strcasecmp(code, types[i].code) != 0)
        i++;
    if (i == G_N_ELEMENTS(types))
        return NULL;
    char *secret = types[i].type == ACE_GUEST ? strchr(grantee, ':') : NULL;
    if (secret)
        *secret = 0;
    ace *a = g_new0(ace, 1);
    a->type = types[i].type;
    a->deny = memchr(what, '-', modifiers) != NULL;
    a->grantee = g_steal_pointer(&grantee);
    return a;
}

ace_verdict ace_evaluate(const char *const *values, const char *right, ace_match_fn match, void *data)
{
    g_autoptr(GPtrArray) grants = g_ptr_array_new_with_free_func((GDestroyNotify) ace_free);
    for (size_t i = 0; values[i]; i++) {
        ace *a = ace_parse(values[i], right);
        if (a)
            g_ptr_array_add(grants, a);
    }
    if (grants->len == 0)
        return ACE_NO_GRANT;
    for (size_t r = 0; r < G_N_ELEMENTS(ranks); r++) {
        ace_verdict verdict = ACE_NOT_GRANTED;
        for (guint i = 0; i < grants->len && verdict != ACE_DENIED; i++) {
            const ace *a = grants->pdata[i];
            if ((a->type == ranks[r][0] || a->type == ranks[r][1]) && match(a, data))
                verdict = a->deny ? ACE_DENIED : ACE_GRANTED;
        }
        if (verdict != ACE_NOT_GRANTED)
            return verdict;
    }
    return ACE_NOT_GRANTED;
}
