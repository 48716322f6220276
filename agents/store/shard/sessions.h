/* The row of services.c for IMAP and POP3 sessions. */
#ifndef MAILSTEAD_STORE_SESSIONS_H
#define MAILSTEAD_STORE_SESSIONS_H

#include "agents/store/shard/service.h"

extern const shard_service sessions_service;

#endif
