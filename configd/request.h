/* Requests on zmconfigd's control socket: one line, a verb and arguments
 * separated by blanks; %XX in an argument is a byte. */
#ifndef MAILSTEAD_CONFIGD_REQUEST_H
#define MAILSTEAD_CONFIGD_REQUEST_H

#include <glib.h>
#include <stdbool.h>

#define REQUEST_MAX_BYTES 4096
#define REQUEST_MAX_ARGS 64

typedef enum {
    REQUEST_STATUS,     /* STATUS */
    REQUEST_REWRITE,    /* REWRITE service… */
    REQUEST_HISTORY,    /* HISTORY [how-many] */
    REQUEST_DIFF,       /* DIFF a b */
    REQUEST_DRY_RUN,    /* DRYRUN [key=value…] */
    REQUEST_RENDER,     /* RENDER service [key=value…] */
    REQUEST_ROLLBACK,   /* ROLLBACK n */
    REQUEST_RESUME,     /* RESUME [folder…] */
    REQUEST_COMMIT_CONFIRM, /* COMMITCONFIRM [minutes] */
    REQUEST_CONFIRM,    /* CONFIRM */
} request_verb;

typedef struct {
    request_verb verb;
    char **args;
    guint64 numbers[2];   /* of HISTORY, DIFF, ROLLBACK and COMMITCONFIRM */
} request;

/* LINE without its newline, LEN bytes, any bytes. On failure *RET_REPLY is the
 * line to answer (a constant) and false is returned. */
bool request_parse(const char *line, size_t len, request *ret, const char **ret_reply);
void request_clear(request *r);

/* ARG as it may stand in a request; caller frees. */
char *request_escape(const char *arg);

#endif
