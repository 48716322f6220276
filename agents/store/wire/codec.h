/* Private to agents/store/wire: the datagram's header. */
#ifndef MAILSTEAD_STORE_WIRE_CODEC_H
#define MAILSTEAD_STORE_WIRE_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_FLAG_PAYLOAD_FD = 1 };   /* the payload is in the last descriptor */

typedef struct { uint8_t version, type; uint16_t flags; uint32_t id, length; } wire_header;

/* Version, type and limits checked; -EBADMSG, -EPROTONOSUPPORT. */
int wire_header_decode(const void *bytes, size_t len, wire_header *ret);

#endif
