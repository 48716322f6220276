/* Any datagram is an alert or none; what is one has a form that reads back equal. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "lib/alert/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alert *a = NULL, *b = NULL;
    if (alert_parse((const char *) data, size, &a) < 0)
        return 0;
    char *text = alert_format(a), *subject = alert_subject(a), *body = alert_body(a), *condition = alert_condition(a);
    g_assert(strlen(text) <= ALERT_MAX_BYTES);
    g_assert(alert_parse(text, strlen(text), &b) == 0);
    char *again = alert_format(b);
    g_assert(strcmp(text, again) == 0);
    g_assert(!strchr(subject, '\n') && g_utf8_validate(body, -1, NULL));
    g_free(text);
    g_free(again);
    g_free(subject);
    g_free(body);
    g_free(condition);
    alert_unref(a);
    alert_unref(b);
    return 0;
}
