/* What zmauthd is asked and what it answers, inside the daemon: the sockets make
 * questions of what they read, workers turn them into answers, caches keep
 * answers. Both are plain data. */
#ifndef MAILSTEAD_AGENTS_AUTH_QUESTION_H
#define MAILSTEAD_AGENTS_AUTH_QUESTION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/auth/auth.h"
#include "lib/auth/wire.h"

typedef struct {
    auth_op op;
    char *protocol, *user, *password, *client_ip;   /* login, ticket */
    char *address;                                  /* resolve, may send */
    char *sender;                                   /* may send */
    bool logged_in;
} question;

question *question_new(auth_op op);
void question_free(question *q);   /* wipes the password */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(question, question_free)

/* How a login was proved, or tried to be. */
typedef enum { PROOF_NONE, PROOF_PASSWORD, PROOF_TICKET } proof_kind;

/* Immutable once handed on; counted, also across threads. */
typedef struct {
    gatomicrefcount refs;
    auth_status status;
    char *account_id, *name, *account_status, *mail_host, *mail_transport;
    int64_t quota_bytes;
    char *reason;
    uint16_t imap_port, pop3_port;
    char *ticket, *route_key;
    char *list;
    proof_kind proof;
    bool keep;            /* may be cached */
    char *account_dn;     /* the entries it depends on, for change notices */
    char *domain_dn;
} answer;

answer *answer_new(auth_status status, const char *reason);
answer *answer_ref(answer *a);
void answer_unref(answer *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(answer, answer_unref)
/* A copy without the ticket, which is good for one use only. */
answer *answer_copy(const answer *a);

#endif
