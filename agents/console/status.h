/* What the status line says: the host, how it is reached, how its services are. */
#ifndef MAILSTEAD_CONSOLE_STATUS_H
#define MAILSTEAD_CONSOLE_STATUS_H

#include <glib.h>

#include "lib/service/service.h"

typedef struct {
    char *host;
    char **addresses;       /* of the interfaces, without loopback and link-local ones */
    guint services;         /* enabled ones, with those that run on every host */
    char **down;            /* of these, names of those that do not run */
    char **failed;          /* of these, names of those with a unit that failed */
    char *unknown;          /* why services could not be asked; NULL: they were */
} console_status;

/* Asks the host, its interfaces and, by BUS (NULL: not there), the services.
 * Never NULL. */
console_status *status_ask(service_bus *bus);
void status_free(console_status *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(console_status, status_free)

/* The text for agetty's issue, ending in an empty line; caller frees. agetty's
 * escapes are taken out of every name. */
char *status_text(const console_status *s);

#endif
