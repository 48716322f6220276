/* PROXY protocol header, versions 1 and 2 (haproxy's proxy-protocol.txt). Bytes in,
 * address out. */
#ifndef MAILSTEAD_LOGIN_PROXY_H
#define MAILSTEAD_LOGIN_PROXY_H

#include <stddef.h>

#define PROXY_ADDRESS_MAX 46    /* numeric IPv6 with NUL */
#define PROXY_HEADER_MAX  2048  /* version 2 with its TLVs; longer ones are refused */

/* 1: a header of *RET_USED bytes; *ADDRESS is the client's, "" when the proxy
 * speaks for itself (LOCAL, UNKNOWN). 0: perhaps one, more bytes needed.
 * -ENOMSG: no header. -EBADMSG: a broken one. */
int proxy_header(const void *bytes, size_t len, char address[PROXY_ADDRESS_MAX], size_t *ret_used);

#endif
