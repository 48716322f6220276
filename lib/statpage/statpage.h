/* A daemon's numbers, kept where others can read them without asking it
 * (design principle 4): one shared-memory page a process, a file in
 * STATPAGE_FOLDER named after the daemon (zmmailboxd-shard-0, zmauthd).
 *
 * The writer names its values once, in a table; from then on a value is one
 * 8-byte atomic that any thread raises for the price of an addition. The reader
 * (zmstatd) copies the file and trusts nothing in it.
 *
 * The file, in the machine's byte order: a head of 40 bytes, N names of 48 bytes,
 * N values of 8 bytes. It is put in place complete, by a rename. */
#ifndef MAILSTEAD_STATPAGE_H
#define MAILSTEAD_STATPAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define STATPAGE_FOLDER "/run/zimbra/stats/pages"

enum { STATPAGE_NAME_MAX = 43, STATPAGE_MAX_VALUES = 512 };

typedef enum {
    STATPAGE_COUNTER = 1,       /* only grows while the process lives */
    STATPAGE_GAUGE = 2,         /* goes up and down; never negative */
} statpage_kind;

/* NAME: lower-case letters, digits, '_', '.'; starts with a letter. */
typedef struct { const char *name; statpage_kind kind; } statpage_def;

/* ---- writer ---- */

typedef struct statpage {
    _Atomic uint64_t *values;
    size_t n;
    void *map;                  /* NULL: private memory, nobody reads it */
    size_t map_size;
    char *path;
    sd_event_source *watch;
    unsigned watched;
} statpage;

/* The page NAME (of a daemon, with "-N" where it has siblings) in FOLDER (NULL:
 * STATPAGE_FOLDER), all values 0, in the place of a page of the same name. DEFS[i]
 * is value i. Always returns a page: statistics are no reason not to serve. *RET_R
 * (may be NULL) is 0, or the negative errno for which the page is private. */
statpage *statpage_new(const char *folder, const char *name, const statpage_def *defs, size_t n, int *ret_r);
void statpage_free(statpage *p);        /* removes the file */

/* These take a NULL page (a test without statistics) as a page nobody reads. */
static inline void statpage_add(statpage *p, unsigned i, uint64_t more)
{
    if (p && i < p->n)
        atomic_fetch_add_explicit(&p->values[i], more, memory_order_relaxed);
}

static inline void statpage_inc(statpage *p, unsigned i)
{
    statpage_add(p, i, 1);
}

static inline void statpage_dec(statpage *p, unsigned i)
{
    if (p && i < p->n)
        atomic_fetch_sub_explicit(&p->values[i], 1, memory_order_relaxed);
}

static inline void statpage_set(statpage *p, unsigned i, uint64_t value)
{
    if (p && i < p->n)
        atomic_store_explicit(&p->values[i], value, memory_order_relaxed);
}

static inline uint64_t statpage_get(const statpage *p, unsigned i)
{
    return p && i < p->n ? atomic_load_explicit(&p->values[i], memory_order_relaxed) : 0;
}

/* Keeps gauge I at the number of the process's open descriptors while the page lives,
 * looking every ten seconds in EVENT's loop. Negative errno. */
int statpage_watch_descriptors(statpage *p, sd_event *event, unsigned i);

/* Microseconds of the monotonic clock, for counters of time spent. */
uint64_t statpage_now_us(void);

/* ---- reader ---- */

typedef struct { char name[STATPAGE_NAME_MAX + 1]; statpage_kind kind; uint64_t value; } statpage_value;

typedef struct {
    int32_t pid;                /* of the writer, as it says */
    uint64_t started_us;        /* wall clock when the page was made: another page, other counters */
    size_t n;
    statpage_value *values;
} statpage_copy;

/* BYTES of a page file, wholly checked: 0, or -EBADMSG (not a page), -EPROTO (of
 * another version), -EMSGSIZE (cut short or larger than it says). Pure. */
int statpage_parse(const void *bytes, size_t len, statpage_copy *ret);
/* The same of a file: a regular one of bounded size, no link; else -EBADMSG, or
 * the errno of what failed. */
int statpage_read(const char *path, statpage_copy *ret);
void statpage_copy_clear(statpage_copy *c);
/* The process that made it has not ended. */
bool statpage_copy_alive(const statpage_copy *c);
/* False: no such value. */
bool statpage_copy_get(const statpage_copy *c, const char *name, uint64_t *ret);

#endif
