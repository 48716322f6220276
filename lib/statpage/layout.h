/* The bytes of a page: see statpage.h. Private to lib/statpage and its tests. */
#ifndef MAILSTEAD_STATPAGE_LAYOUT_H
#define MAILSTEAD_STATPAGE_LAYOUT_H

#include "lib/statpage/statpage.h"

#define STATPAGE_MAGIC "MSTDSTAT"
enum { STATPAGE_VERSION = 1 };

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t n;
    uint32_t size;              /* of the whole file */
    int32_t pid;
    uint64_t started_us;
    uint64_t reserved;
} statpage_head;

typedef struct { char name[STATPAGE_NAME_MAX + 1]; uint32_t kind; } statpage_entry;

_Static_assert(sizeof(statpage_head) == 40 && sizeof(statpage_entry) == 48, "the layout has no holes");

static inline size_t statpage_size(size_t n)
{
    return sizeof(statpage_head) + n * (sizeof(statpage_entry) + sizeof(uint64_t));
}

#endif
