/* The journal by cursor, a batch at a time. A batch is one transaction of the
 * owner; the place is part of it. After a batch that could not be committed the
 * same entries come again. */
#ifndef MAILSTEAD_LOGGER_READER_H
#define MAILSTEAD_LOGGER_READER_H

#include <systemd/sd-event.h>
#include "agents/logger/entry.h"

typedef struct reader reader;

typedef struct {
    /* BEGIN before the first entry of a batch, COMMIT after its last: CURSOR and
     * TIME_USEC of that entry. False: rolled back, the batch is read again later. */
    void (*begin)(void *data);
    void (*entry)(const entry *e, void *data);
    bool (*commit)(const char *cursor, gint64 time_usec, void *data);
    /* Entries after TIME_USEC (0: not known) up to the oldest there is are lost. */
    void (*gap)(gint64 time_usec, gint64 next_usec, void *data);
    void *data;
} reader_handler;

/* Goes on after CURSOR (NULL: from the beginning), whose entry was of TIME_USEC.
 * FOLDER NULL: this host's journal. */
reader *reader_new(sd_event *event, const char *folder, const char *cursor, gint64 time_usec, const reader_handler *h);
void reader_free(reader *r);

#endif
