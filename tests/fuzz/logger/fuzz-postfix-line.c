/* postfix_parse: every span lies within what was given, ids are plain, and the
 * first byte picks the program. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include "agents/logger/postfix-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_id(const char *id)
{
    g_assert(strlen(id) <= QUEUE_ID_MAX);
    for (; *id; id++)
        g_assert(g_ascii_isalnum(*id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const idents[] = { "postfix/smtpd", "postfix/amavisd/smtpd", "postfix/pickup", "postfix/cleanup",
                                          "postfix/qmgr", "postfix/lmtp", "postfix/bounce", "postfix/postsuper" };
    if (size == 0)
        return 0;
    /* without a NUL behind it, so that reading on is seen */
    size_t len = size - 1;
    char *text = len ? g_memdup2(data + 1, len) : NULL;
    span s = { text ? text : "", len };
    postfix_line l = postfix_parse(span_of(idents[data[0] % G_N_ELEMENTS(idents)]), s);
    const span *const spans[] = { &l.client, &l.user, &l.sender, &l.recipient, &l.relay, &l.delay, &l.dsn, &l.status, &l.text, &l.message_id };
    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++)
        if (spans[i]->len)
            g_assert(spans[i]->text >= s.text && spans[i]->text + spans[i]->len <= s.text + s.len);
    check_id(l.queue_id);
    check_id(l.other_id);
    g_assert(l.size >= 0 && l.recipients >= 0);
    g_autofree char *printable = span_dup(l.text, 100);
    g_assert(strlen(printable) <= 100 && g_utf8_validate(printable, -1, NULL));
    g_free(text);
    return 0;
}
