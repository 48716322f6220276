/* The parser of control requests: bytes in, a checked request out. */
#include "configd/request.h"

#include <string.h>

static const struct {
    const char *word;
    request_verb verb;
    guint min, max;       /* arguments */
    guint numbers;        /* the first so many are numbers */
    const char *missing;  /* answer to too few or too many */
} verbs[] = {
    { "STATUS",   REQUEST_STATUS,   0, 0, 0, "ERROR STATUS TAKES NO ARGUMENT" },
    { "REWRITE",  REQUEST_REWRITE,  1, REQUEST_MAX_ARGS, 0, "ERROR NO SERVICES LISTED" },
    { "HISTORY",  REQUEST_HISTORY,  0, 1, 1, "ERROR EXPECTED HISTORY [COUNT]" },
    { "DIFF",     REQUEST_DIFF,     2, 2, 2, "ERROR EXPECTED DIFF A B" },
    { "DRYRUN",   REQUEST_DRY_RUN,  0, REQUEST_MAX_ARGS, 0, "ERROR EXPECTED DRYRUN [KEY=VALUE]" },
    { "RENDER",   REQUEST_RENDER,   1, REQUEST_MAX_ARGS, 0, "ERROR EXPECTED RENDER SERVICE [KEY=VALUE]" },
    { "ROLLBACK", REQUEST_ROLLBACK, 1, 1, 1, "ERROR EXPECTED ROLLBACK GENERATION" },
    { "RESUME",   REQUEST_RESUME,   0, REQUEST_MAX_ARGS, 0, "ERROR EXPECTED RESUME [FOLDER]" },
    { "COMMITCONFIRM", REQUEST_COMMIT_CONFIRM, 0, 1, 1, "ERROR EXPECTED COMMITCONFIRM [MINUTES]" },
    { "CONFIRM",  REQUEST_CONFIRM,  0, 0, 0, "ERROR CONFIRM TAKES NO ARGUMENT" },
};

static bool unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (*s != '%') {
            *out++ = *s;
            continue;
        }
        int high = g_ascii_xdigit_value(s[1]), low = high < 0 ? -1 : g_ascii_xdigit_value(s[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char) (high << 4 | low);
        s += 2;
    }
    *out = 0;
    return true;
}

static bool parse_args(request *r, char **words, const char **ret_reply)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (; *words; words++) {
        if (!**words)
            continue;
        if (!unescape(*words) || !g_utf8_validate(*words, -1, NULL)) {
            *ret_reply = "ERROR MALFORMED ARGUMENT";
            return false;
        }
        g_strv_builder_add(b, *words);
    }
    r->args = g_strv_builder_end(b);
    return true;
}

static bool check(size_t v, request *r, const char **ret_reply)
{
    guint n = g_strv_length(r->args);
    *ret_reply = verbs[v].missing;
    if (n < verbs[v].min || n > verbs[v].max)
        return false;
    for (guint i = 0; i < MIN(n, verbs[v].numbers); i++)
        if (!g_ascii_string_to_unsigned(r->args[i], 10, 1, G_MAXINT, &r->numbers[i], NULL))
            return false;
    return true;
}

bool request_parse(const char *line, size_t len, request *ret, const char **ret_reply)
{
    *ret_reply = "ERROR UNKNOWN COMMAND";
    if (len && line[len - 1] == '\r')
        len--;
    if (len > REQUEST_MAX_BYTES || memchr(line, 0, len))
        return false;
    g_autofree char *copy = g_strndup(line, len);
    g_auto(GStrv) words = g_strsplit(copy, " ", REQUEST_MAX_ARGS + 2);
    for (size_t v = 0; words[0] && v < G_N_ELEMENTS(verbs); v++) {
        if (!g_str_equal(verbs[v].word, words[0]))
            continue;
        request r = { .verb = verbs[v].verb };
        if (parse_args(&r, words + 1, ret_reply) && check(v, &r, ret_reply)) {
            *ret = r;
            return true;
        }
        request_clear(&r);
        return false;
    }
    return false;
}

void request_clear(request *r)
{
    g_clear_pointer(&r->args, g_strfreev);
}

char *request_escape(const char *arg)
{
    GString *out = g_string_new(NULL);
    for (; *arg; arg++) {
        if (*arg == '%' || *arg == ' ' || g_ascii_iscntrl(*arg))
            g_string_append_printf(out, "%%%02X", (unsigned char) *arg);
        else
            g_string_append_c(out, *arg);
    }
    return g_string_free(out, FALSE);
}
