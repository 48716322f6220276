/* See showq.h. */
#include "agents/snmp/showq.h"

void showq_begin(showq *s)
{
    *s = (showq) { .queues = { { .name = "maildrop" }, { .name = "hold" }, { .name = "incoming" },
                               { .name = "active" }, { .name = "deferred" } }, .current = -1 };
}

static void begin_message(showq *s, const char *queue)
{
    s->current = -1;
    for (int i = 0; i < SHOWQ_QUEUES; i++)
        if (g_str_equal(s->queues[i].name, queue)) {
            s->current = i;
            s->queues[i].messages++;
        }
}

static void take_pair(showq *s)
{
    gint64 number;
    if (g_str_equal(s->name, "queue_name"))
        return begin_message(s, s->value);
    if (s->current < 0 || !g_ascii_string_to_signed(s->value, 10, 0, G_MAXINT32 * G_GINT64_CONSTANT(1024), &number, NULL))
        return;
    showq_queue *q = &s->queues[s->current];
    if (g_str_equal(s->name, "size"))
        q->bytes += number;
    else if (g_str_equal(s->name, "time") && (q->oldest == 0 || number < q->oldest))
        q->oldest = number;
}

static void end_token(showq *s)
{
    char *token = s->in_value ? s->value : s->name;
    token[s->len] = '\0';
    bool empty_name = !s->in_value && s->len == 0;
    s->len = 0;
    if (empty_name)
        return;
    if (s->in_value)
        take_pair(s);
    s->in_value = !s->in_value;
}

void showq_take(showq *s, const char *bytes, gsize len)
{
    for (gsize i = 0; i < len; i++) {
        char *token = s->in_value ? s->value : s->name;
        if (bytes[i] == '\0')
            end_token(s);
        else if (s->len < SHOWQ_TOKEN_MAX - 1)
            token[s->len++] = bytes[i];
    }
}
