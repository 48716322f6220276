/* The bytes of the redo log: segment headers and records. Bytes in, structs out;
 * files are redo-scan.c's and redo-log.c's. */
#ifndef MAILSTEAD_STORE_REDO_FORMAT_H
#define MAILSTEAD_STORE_REDO_FORMAT_H

#include <glib.h>
#include <stdint.h>

enum {
    REDO_SEGMENT_HEADER = 64,
    REDO_RECORD_HEADER = 32,
    REDO_SEGMENT_DEFAULT = 16 * 1024 * 1024,
    REDO_SEGMENT_MIN = 512 * 1024,
};

typedef struct {
    uint32_t shard, segment_bytes;
    uint64_t start;           /* LSN of the segment's first byte */
    uint64_t previous_end;    /* LSN where the log ended in the segment before */
    uint32_t salt;            /* random; every record of the segment bears it */
} redo_segment_header;

typedef struct {
    uint64_t lsn, end;        /* END: LSN of the next record */
    uint64_t mailbox;
    uint16_t type;            /* op_type */
    const void *payload;      /* borrowed */
    uint32_t len;
} redo_record;

void redo_segment_header_encode(const redo_segment_header *h, uint8_t ret[REDO_SEGMENT_HEADER]);
/* 1: valid; 0: not a header of ours (zero, torn, foreign). */
int redo_segment_header_decode(const uint8_t bytes[REDO_SEGMENT_HEADER], redo_segment_header *ret);

/* Whole length in the log, padding included. */
uint64_t redo_record_size(size_t payload_len);
void redo_record_encode(GByteArray *out, uint64_t lsn, uint32_t salt, uint64_t mailbox, uint16_t type, const void *payload, size_t len);
/* The record expected at LSN, with the segment's SALT, in the LEN bytes there. 1: valid; 0: the log ends
 * here (zeroed, torn, of another position, or cut off). */
int redo_record_decode(const uint8_t *bytes, size_t len, uint64_t lsn, uint32_t salt, redo_record *ret);

#endif
