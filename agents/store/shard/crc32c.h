/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), as the redo log uses it. */
#ifndef MAILSTEAD_STORE_CRC32C_H
#define MAILSTEAD_STORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t len);

#endif
