/* A protocol session's socket in the shard's loop: bytes in, bytes out with
 * back-pressure. Output beyond STREAM_HIGH means: stop making more until the drain
 * callback; input is not read while the session does not want it. */
#ifndef MAILSTEAD_STORE_STREAM_H
#define MAILSTEAD_STORE_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

enum { STREAM_HIGH = 32 * 1024, STREAM_INPUT_MAX = 64 * 1024 };

typedef struct stream stream;
typedef struct {
    void (*input)(void *data);   /* bytes are in stream_input(); what is taken must be removed */
    void (*drain)(void *data);   /* output fell below STREAM_HIGH */
    void (*lost)(void *data);    /* peer gone or broken; called once, free the stream after it */
    void (*idle)(void *data);    /* nothing came for the time set */
} stream_ops;

/* Takes FD. */
stream *stream_new(sd_event *event, int fd, const stream_ops *ops, void *data);
void stream_free(stream *s);

GByteArray *stream_input(stream *s);
void stream_consume(stream *s, size_t n);
/* Off: the session is busy; on: the input callback comes again for what is there. */
void stream_want_input(stream *s, bool want);
void stream_feed(stream *s, const void *bytes, size_t n);   /* input that came by another way */

GString *stream_output(stream *s);       /* append to it, then stream_flush() or return to the loop */
void stream_flush(stream *s);
bool stream_full(const stream *s);
void stream_close_after_flush(stream *s);
void stream_set_idle(stream *s, unsigned seconds);   /* restarts with each input */

#endif
