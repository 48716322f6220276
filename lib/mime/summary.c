/* Making and dropping of summaries and their parts. Every GPtrArray of a summary
 * owns its elements; address lists and params are never NULL, children is NULL
 * for leaves. */
#include "lib/mime/internal.h"

static void address_free(gpointer data)
{
    mime_address *a = data;
    g_free(a->name);
    g_free(a->route);
    g_free(a->mailbox);
    g_free(a->host);
    g_free(a);
}

mime_address *mime_address_new(char *name, char *route, char *mailbox, char *host)
{
    mime_address *a = g_new(mime_address, 1);
    *a = (mime_address) { name, route, mailbox, host };
    return a;
}

void mime_envelope_init(mime_envelope *e)
{
    GPtrArray **lists[] = { &e->from, &e->sender, &e->reply_to, &e->to, &e->cc, &e->bcc };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        *lists[i] = g_ptr_array_new_with_free_func(address_free);
}

mime_envelope *mime_envelope_new(void)
{
    mime_envelope *e = g_new0(mime_envelope, 1);
    mime_envelope_init(e);
    return e;
}

static void envelope_clear(mime_envelope *e)
{
    g_free(e->date);
    g_free(e->subject);
    g_free(e->in_reply_to);
    g_free(e->message_id);
    GPtrArray *lists[] = { e->from, e->sender, e->reply_to, e->to, e->cc, e->bcc };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_clear_pointer(&lists[i], g_ptr_array_unref);
}

mime_part *mime_part_new(void)
{
    mime_part *part = g_new0(mime_part, 1);
    part->params = g_ptr_array_new_with_free_func(g_free);
    part->disposition_params = g_ptr_array_new_with_free_func(g_free);
    return part;
}

/* Recursion is bounded: nothing makes a part deeper than MIME_DEPTH_CAP. */
void mime_part_free(mime_part *part)
{
    if (!part)
        return;
    char *strings[] = { part->type, part->subtype, part->id, part->description, part->encoding,
                        part->md5, part->disposition, part->language, part->location };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_clear_pointer(&part->params, g_ptr_array_unref);
    g_clear_pointer(&part->disposition_params, g_ptr_array_unref);
    g_clear_pointer(&part->children, g_ptr_array_unref);
    if (part->envelope)
        envelope_clear(part->envelope);
    g_free(part->envelope);
    g_free(part);
}

mime_summary *mime_summary_new(void)
{
    mime_summary *s = g_new0(mime_summary, 1);
    mime_envelope_init(&s->envelope);
    return s;
}

void mime_summary_free(mime_summary *s)
{
    if (!s)
        return;
    envelope_clear(&s->envelope);
    mime_part_free(s->root);
    g_free(s);
}
