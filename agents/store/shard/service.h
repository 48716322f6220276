/* What a shard does for its peers (login@, intake@) over wire messages. Each
 * service is one row of services.c: it is started with the shard, sees every
 * message until one takes it, and is stopped before the shard closes. */
#ifndef MAILSTEAD_STORE_SERVICE_H
#define MAILSTEAD_STORE_SERVICE_H

#include "agents/store/shard/mailbox.h"
#include "agents/store/wire/wire.h"

typedef struct {
    shard_config store;
    const char *socket_dir;      /* /run/zimbra/store */
    GKeyFile *file;              /* mailboxd.conf, for a service's own group */
} shard_settings;

typedef struct {
    sd_event *event;
    shard *shard;
    const shard_settings *settings;
} shard_context;

typedef struct {
    const char *name;
    void *(*start)(const shard_context *c);                             /* NULL: failed and said why */
    bool (*message)(void *service, wire_conn *c, wire_message *m);      /* true: taken */
    void (*stop)(void *service);
} shard_service;
extern const shard_service *const shard_services[];                     /* NULL-terminated */

/* Starts the services and listens on <socket_dir>/shard-<number>. */
typedef struct shard_server shard_server;
int shard_listen(const shard_context *c, shard_server **ret);
void shard_server_free(shard_server *s);

/* False: ERROR names file, key and what is wanted. */
bool shard_settings_load(const char *path, unsigned number, shard_settings *ret, GError **error);
void shard_settings_clear(shard_settings *s);

#endif
