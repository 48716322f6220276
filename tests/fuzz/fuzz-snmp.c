/* Two parsers of zmsnmpagent by the first byte: an alert of the feed, which becomes
 * instances or none, and showq's answer, which gives one result however it is cut. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "agents/snmp/packet.h"
#include "agents/snmp/showq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void alert_of_the_feed(const char *bytes, size_t len)
{
    record *r = packet_parse(bytes, len);
    if (!r)
        return;
    tree *t = tree_new();
    mib_add(t, GROUP_ALERT, r);
    tree_sort(t);
    const notification *n = packet_notification(r);
    guint own = 0;
    while (n && n->objects[own])
        own++;
    g_assert(tree_size(t) >= 4 && tree_size(t) <= 8 + own);
    tree_free(t);
    record_unref(r);
}

static void answer_of_showq(const char *bytes, size_t len)
{
    showq whole, cut;
    showq_begin(&whole);
    showq_take(&whole, bytes, len);
    showq_begin(&cut);
    for (size_t i = 0; i < len; i++)
        showq_take(&cut, bytes + i, 1);
    for (int i = 0; i < SHOWQ_QUEUES; i++)
        g_assert(whole.queues[i].messages == cut.queues[i].messages && whole.queues[i].bytes == cut.queues[i].bytes &&
                 whole.queues[i].oldest == cut.queues[i].oldest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'q')
        answer_of_showq((const char *) data + 1, size - 1);
    else
        alert_of_the_feed((const char *) data + 1, size - 1);
    return 0;
}
