/* Changing keys. Names that are attributes of the directory are refused with
 * the command that sets them: stored here they would do nothing. */
#include <sys/random.h>

#include "cli/zmlocalconfig/zmlocalconfig.h"
#include "lib/schema/schema.h"

#define RANDOM_BYTES 24

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_WRITE, text);
    return false;
}

static const struct { unsigned place; const char *command; } setters[] = {
    { CLASS_GLOBAL_CONFIG, "zmprov modifyConfig" }, { CLASS_SERVER, "zmprov modifyServer SERVER" },
    { CLASS_COS, "zmprov modifyCos COS" }, { CLASS_DOMAIN, "zmprov modifyDomain DOMAIN" },
    { CLASS_ACCOUNT, "zmprov modifyAccount ACCOUNT" },
};

static bool refuse_attribute(const attr_def *a, const char *value, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(setters); i++)
        if (a->classes & setters[i].place)
            return fail(error, "%s is an attribute of the directory, not a key of this host: use %s %s '%s'", a->name,
                        setters[i].command, a->name, value);
    return fail(error, "%s is an attribute of the directory, not a key of this host", a->name);
}

static bool may_change(const edit_options *o, const char *key, const char *value, GError **error)
{
    const attr_def *a = localconfig_is_known(key) ? NULL : schema_attr(key);
    if (a)
        return refuse_attribute(a, value, error);
    if (localconfig_is_protected(key) && !o->force)
        return fail(error, "changing %s can cut this host off: use -f if you mean it", key);
    if (!localconfig_check(key, value, error))
        return false;
    if (!localconfig_is_known(key) && !o->quiet)
        fprintf(stderr, "zmlocalconfig: warning: nothing of this system reads the key %s; stored nevertheless\n", key);
    return true;
}

static char *random_password(GError **error)
{
    guint8 bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes) {
        fail(error, "the kernel gives no random bytes");
        return NULL;
    }
    char *text = g_base64_encode(bytes, sizeof bytes);
    g_strdelimit(text, "+", '.');
    g_strdelimit(text, "/", '_');
    return text;
}

static bool edit_one(localconfig *lc, const edit_options *o, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    if (!o->random && !equals)
        return fail(error, "%s: key=value is needed", word);
    g_autofree char *key = equals ? g_strndup(word, (gsize) (equals - word)) : g_strdup(word);
    g_autofree char *value = o->random ? random_password(error) : g_strdup(equals + 1);
    if (!value || !may_change(o, key, value, error))
        return false;
    localconfig_set(lc, key, value);
    g_autofree char *expanded = localconfig_expand(lc, key, error);
    return expanded != NULL;
}

bool edit_keys(localconfig *lc, const edit_options *o, char **words, GError **error)
{
    for (; *words; words++)
        if (!edit_one(lc, o, *words, error))
            return false;
    return true;
}

bool unset_keys(localconfig *lc, const edit_options *o, char **keys, GError **error)
{
    for (; *keys; keys++) {
        if (localconfig_is_protected(*keys) && !o->force)
            return fail(error, "removing %s can cut this host off: use -f if you mean it", *keys);
        if (!localconfig_is_known(*keys) && !localconfig_get_raw(lc, *keys))
            return fail(error, "no such key: %s", *keys);
        if (localconfig_default(*keys))
            localconfig_set(lc, *keys, "");     /* guide: a key with a default gets the empty value */
        else
            localconfig_unset(lc, *keys);
    }
    return true;
}
