/* Arguments of commands: options at their front, attribute-value pairs. */
#include <stdarg.h>

#include "cli/zmprov/handlers.h"
#include "lib/schema/schema.h"

bool invalid(GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID, text);
    return false;
}

bool usage_error(const command *c, GError **error)
{
    return invalid(error, "usage: %s(%s) %s", c->name, c->alias, c->usage);
}

bool take_flag(int *argc, char ***argv, const char *word)
{
    if (*argc == 0 || !g_str_equal((*argv)[0], word))
        return false;
    (*argc)--;
    (*argv)++;
    return true;
}

const char *take_option(int *argc, char ***argv, const char *word)
{
    if (*argc < 2 || !take_flag(argc, argv, word))
        return NULL;
    (*argc)--;
    return *(*argv)++;
}

void change_list_clear(change_list *l)
{
    g_free(l->list);
    *l = (change_list) { NULL, 0 };
}

/* ATTR replaced as a whole by what localconfig protects against that. */
static bool is_safeguarded(session *s, const char *attr)
{
    const attr_def *def = schema_attr(attr);
    g_auto(GStrv) names = g_strsplit_set(localconfig_get_or(s->lc, "zmprov_safeguarded_attrs", ""), ", ", -1);
    for (char **n = names; *n; n++)
        if (**n && g_ascii_strcasecmp(*n, def ? def->name : attr) == 0)
            return true;
    return false;
}

bool change_list_parse(session *s, int argc, char **argv, change_list *ret, GError **error)
{
    if (argc % 2 != 0)
        return invalid(error, "attribute %s has no value (give '' to remove it)", argv[argc - 1]);
    g_autofree attr_change *list = g_new0(attr_change, (gsize) argc / 2 + 1);
    for (int i = 0; i < argc; i += 2) {
        if (!s->replace && *argv[i] != '+' && *argv[i] != '-' && is_safeguarded(s, argv[i]))
            return invalid(
                error,
                "%s is protected against being replaced as a whole: use +%s or -%s for single values, or -r/--replace",
                argv[i], argv[i], argv[i]);
        list[i / 2] = (attr_change) { argv[i], argv[i + 1] };
    }
    ret->list = g_steal_pointer(&list);
    ret->n = (size_t) argc / 2;
    return true;
}
