/* What Postfix's showq(8) says: pairs NAME NUL VALUE NUL, an empty name between
 * groups; queue_name begins a message, size and time are numbers. The names of
 * recipients and reasons are read over. Bytes may come in any portions. */
#ifndef MAILSTEAD_SNMP_SHOWQ_H
#define MAILSTEAD_SNMP_SHOWQ_H

#include <glib.h>
#include <stdbool.h>

enum { SHOWQ_QUEUES = 5, SHOWQ_TOKEN_MAX = 64 };

typedef struct {
    const char *name;
    gint64 messages, bytes;
    gint64 oldest;              /* seconds since the epoch; 0 none */
} showq_queue;

typedef struct {
    showq_queue queues[SHOWQ_QUEUES];
    int current;                /* index of the queue of the message being read; -1: not one of ours */
    bool in_value;
    char name[SHOWQ_TOKEN_MAX], value[SHOWQ_TOKEN_MAX];
    gsize len;                  /* of the token under way; longer ones are cut */
} showq;

void showq_begin(showq *s);
void showq_take(showq *s, const char *bytes, gsize len);

#endif
