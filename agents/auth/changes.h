/* Change notices of the directory from zmconfigd (/run/zimbra/configd/changes): one
 * datagram "CSN DN" a changed entry, "CSN *" when anything may have changed. */
#ifndef MAILSTEAD_AGENTS_AUTH_CHANGES_H
#define MAILSTEAD_AGENTS_AUTH_CHANGES_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#define CHANGES_SOCKET "/run/zimbra/configd/changes"

typedef struct changes changes;
/* DN: "*" for everything, also after each (re)connection. Borrowed. */
typedef void (*changes_fn)(const char *dn, void *data);

/* Connects now and, when that fails or the connection ends, every two seconds. */
changes *changes_new(sd_event *event, const char *path, changes_fn fn, void *data);
void changes_free(changes *c);
bool changes_connected(const changes *c);

/* The DN in the datagram BYTES (NUL-terminated behind LEN), "*" when it is
 * malformed: rather drop too much. */
const char *changes_parse(const char *bytes, size_t len);

#endif
