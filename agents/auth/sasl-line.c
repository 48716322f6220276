/* Parsing of the SASL socket's lines: see sasl-line.h. Parameters are separated by
 * tabs; resp= is the last one and runs to the end of the line. */
#include "agents/auth/sasl-line.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const struct { const char *word; sasl_verb verb; } verbs[] = {
    { "VERSION", SASL_VERSION }, { "CPID", SASL_CPID }, { "AUTH", SASL_AUTH },
    { "CONT", SASL_CONT }, { "CANCEL", SASL_CANCEL },
};

/* The parameter at *REST, which moves behind its tab; NULL at the end. */
static char *take_parameter(char **rest)
{
    char *at = *rest;
    if (!at)
        return NULL;
    char *tab = strchr(at, '\t');
    if (tab)
        *tab = 0;
    *rest = tab ? tab + 1 : NULL;
    return at;
}

static bool take_number(char **rest, uint32_t *ret)
{
    const char *word = take_parameter(rest);
    guint64 v;
    if (!word || !g_ascii_string_to_unsigned(word, 10, 0, UINT32_MAX, &v, NULL))
        return false;
    *ret = (uint32_t) v;
    return true;
}

static int parse_auth(char *rest, sasl_line *l)
{
    l->mech = take_parameter(&rest);
    l->service = l->client_ip = "";
    if (!l->mech || !*l->mech)
        return -EBADMSG;
    while (rest) {
        if (g_str_has_prefix(rest, "resp=")) {
            l->response = rest + strlen("resp=");
            break;
        }
        const char *p = take_parameter(&rest);
        if (g_str_has_prefix(p, "service="))
            l->service = p + strlen("service=");
        else if (g_str_has_prefix(p, "rip="))
            l->client_ip = p + strlen("rip=");
    }
    return 0;
}

int sasl_line_parse(char *line, sasl_line *ret)
{
    char *rest = line;
    const char *word = take_parameter(&rest);
    sasl_line l = { .verb = SASL_VERSION };
    size_t i = 0;
    while (i < G_N_ELEMENTS(verbs) && strcmp(word, verbs[i].word) != 0)
        i++;
    if (i == G_N_ELEMENTS(verbs))
        return -ENOENT;
    l.verb = verbs[i].verb;
    if (!take_number(&rest, &l.number))
        return -EBADMSG;
    int r = 0;
    if (l.verb == SASL_AUTH)
        r = parse_auth(rest, &l);
    else if (l.verb == SASL_CONT)
        l.response = rest;
    if (r == 0)
        *ret = l;
    return r;
}

static bool is_base64(const char *s)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strspn(s, alphabet), pad = strspn(s + n, "=");
    return s[n + pad] == 0 && pad <= 2 && (n + pad) % 4 == 0;
}

/* Decoded bytes with a NUL behind them; NULL when malformed. */
static char *decode(const char *base64, size_t *ret_len)
{
    if (!is_base64(base64))
        return NULL;
    gsize len = 0;
    g_autofree guchar *bytes = g_base64_decode(base64, &len);
    char *text = g_malloc(len + 1);
    memcpy(text, bytes, len);
    text[len] = 0;
    explicit_bzero(bytes, len);
    *ret_len = len;
    return text;
}

int sasl_decode_text(const char *base64, char **ret_text)
{
    size_t len;
    char *text = decode(base64, &len);
    if (!text || strlen(text) != len) {
        g_free(text);
        return -EBADMSG;
    }
    *ret_text = text;
    return 0;
}

int sasl_decode_plain(const char *base64, char **ret_user, char **ret_password)
{
    size_t len;
    char *all = decode(base64, &len);
    if (!all)
        return -EBADMSG;
    const char *end = all + len;
    const char *user = all + strlen(all) + 1;
    const char *password = user < end ? user + strlen(user) + 1 : NULL;
    int r = 0;
    if (!password || password > end || password + strlen(password) != end || !*user)
        r = -EBADMSG;
    else if (*all && strcmp(all, user) != 0)
        r = -EPERM;
    if (r == 0) {
        *ret_user = g_strdup(user);
        *ret_password = g_strdup(password);
    }
    explicit_bzero(all, len);
    g_free(all);
    return r;
}
