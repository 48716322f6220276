/* Format of the redo log, version 1. All integers are little-endian.
 *
 * redolog/<shard>/ holds segments NNNN.redo, all of one size (16 MiB), written
 * full of zeros when made and never renamed or resized: a flush of a record then
 * writes data blocks only, never metadata. The number is no order: a segment's
 * header says where it stands.
 *
 * An LSN is a position in the endless log. Segment k holds the LSNs [start,
 * start + size); the next one starts where it ends, always, so start is a
 * multiple of the size and an LSN is never given twice.
 *
 *   segment header, 64 bytes
 *     0  8  "MSREDO1\n"
 *     8  4  CRC-32C of bytes 12..63
 *    12  4  shard
 *    16  4  segment size
 *    20  4  0
 *    24  8  start
 *    32  8  end of the log in the segment before (0: first segment)
 *    40  4  salt: random, given anew whenever the segment is begun
 *    44 20  0
 *
 *   record, at a multiple of 8, never across segments
 *     0  4  CRC-32C of bytes 4.. to the end of the payload
 *     4  4  payload length
 *     8  8  LSN of this record
 *    16  8  mailbox id
 *    24  2  type (op_type)
 *    26  2  0
 *    28  4  salt of the segment
 *    32     payload (op.c), then zeros to a multiple of 8
 *
 * The log ends at the first place that is not a valid record bearing its own
 * LSN and the segment's salt: zeros, a torn write, or what the file held before. A writer never
 * continues behind a tail it did not write itself: after a start it begins the
 * next segment and notes in its header where the log ended, so that records that
 * reached the disk behind a torn one can never be taken for a continuation, and
 * a hole in the middle is recognised as damage.
 *
 * A batch may rewrite the sector that the batch before ended in, with the same
 * bytes: sectors are taken to be written whole or not at all. */
#include "agents/store/shard/redo-format.h"

#include <string.h>

#include "agents/store/shard/crc32c.h"

static const char magic[8] = "MSREDO1\n";
enum { CRC_AT = 8, CRC_FROM = 12 };

static void put32(uint8_t *p, uint32_t v)
{
    v = GUINT32_TO_LE(v);
    memcpy(p, &v, sizeof v);
}

static void put64(uint8_t *p, uint64_t v)
{
    v = GUINT64_TO_LE(v);
    memcpy(p, &v, sizeof v);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return GUINT32_FROM_LE(v);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return GUINT64_FROM_LE(v);
}

void redo_segment_header_encode(const redo_segment_header *h, uint8_t ret[REDO_SEGMENT_HEADER])
{
    memset(ret, 0, REDO_SEGMENT_HEADER);
    memcpy(ret, magic, sizeof magic);
    put32(ret + 12, h->shard);
    put32(ret + 16, h->segment_bytes);
    put64(ret + 24, h->start);
    put64(ret + 32, h->previous_end);
    put32(ret + 40, h->salt);
    put32(ret + CRC_AT, crc32c(ret + CRC_FROM, REDO_SEGMENT_HEADER - CRC_FROM));
}

int redo_segment_header_decode(const uint8_t bytes[REDO_SEGMENT_HEADER], redo_segment_header *ret)
{
    if (memcmp(bytes, magic, sizeof magic) != 0 || get32(bytes + CRC_AT) != crc32c(bytes + CRC_FROM, REDO_SEGMENT_HEADER - CRC_FROM))
        return 0;
    redo_segment_header h = { get32(bytes + 12), get32(bytes + 16), get64(bytes + 24), get64(bytes + 32), get32(bytes + 40) };
    if (h.segment_bytes < REDO_SEGMENT_MIN || h.start % h.segment_bytes != 0 || h.previous_end > h.start)
        return 0;
    *ret = h;
    return 1;
}

uint64_t redo_record_size(size_t payload_len)
{
    return (REDO_RECORD_HEADER + (uint64_t) payload_len + 7) & ~(uint64_t) 7;
}

void redo_record_encode(GByteArray *out, uint64_t lsn, uint32_t salt, uint64_t mailbox, uint16_t type, const void *payload, size_t len)
{
    guint at = out->len;
    uint64_t size = redo_record_size(len);
    g_byte_array_set_size(out, at + (guint) size);
    uint8_t *p = out->data + at;
    memset(p, 0, REDO_RECORD_HEADER);
    memset(p + size - 8, 0, 8);
    put32(p + 4, (uint32_t) len);
    put64(p + 8, lsn);
    put64(p + 16, mailbox);
    p[24] = (uint8_t) type;
    p[25] = (uint8_t) (type >> 8);
    put32(p + 28, salt);
    if (len)
        memcpy(p + REDO_RECORD_HEADER, payload, len);
    put32(p, crc32c(p + 4, REDO_RECORD_HEADER - 4 + len));
}

int redo_record_decode(const uint8_t *bytes, size_t len, uint64_t lsn, uint32_t salt, redo_record *ret)
{
    if (len < REDO_RECORD_HEADER || get64(bytes + 8) != lsn || get32(bytes + 28) != salt)
        return 0;
    uint32_t payload = get32(bytes + 4);
    if (redo_record_size(payload) > len || get32(bytes) != crc32c(bytes + 4, REDO_RECORD_HEADER - 4 + (size_t) payload))
        return 0;
    *ret = (redo_record) {
        .lsn = lsn, .end = lsn + redo_record_size(payload), .mailbox = get64(bytes + 16),
        .type = (uint16_t) (bytes[24] | bytes[25] << 8), .payload = bytes + REDO_RECORD_HEADER, .len = payload,
    };
    return 1;
}
