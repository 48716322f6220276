/* amavis_parse: spans within the text, plain ids, and only a line that begins with
 * Passed or Blocked has a verdict. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include "agents/logger/amavis-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size ? g_memdup2(data, size) : NULL;
    span s = { text ? text : "", size };
    amavis_line l = amavis_parse(s);
    const span *const spans[] = { &l.id, &l.category, &l.names, &l.sender, &l.message_id, &l.hits };
    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++)
        if (spans[i]->len)
            g_assert(spans[i]->text >= s.text && spans[i]->text + spans[i]->len <= s.text + s.len);
    g_assert(strlen(l.queue_id) <= QUEUE_ID_MAX && strlen(l.queued_as) <= QUEUE_ID_MAX);
    if (l.kind == AMAVIS_VERDICT)
        g_assert(s.text[0] == '(' && l.category.len > 0);
    g_free(text);
    return 0;
}
