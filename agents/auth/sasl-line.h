/* Lines of Dovecot's authentication protocol (version 1) as Postfix's smtpd speaks
 * it, and the contents of SASL PLAIN (RFC 4616) and LOGIN messages. Pure: bytes
 * in, structs out. */
#ifndef MAILSTEAD_AGENTS_AUTH_SASL_LINE_H
#define MAILSTEAD_AGENTS_AUTH_SASL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SASL_LINE_MAX 8192

typedef enum { SASL_VERSION, SASL_CPID, SASL_AUTH, SASL_CONT, SASL_CANCEL } sasl_verb;

typedef struct {
    sasl_verb verb;
    uint32_t number;         /* major version, process id, request id */
    const char *mech;        /* AUTH; upper or lower case as sent */
    const char *service;     /* AUTH: "smtp"; "" when absent */
    const char *client_ip;   /* AUTH: rip=; "" when absent */
    const char *response;    /* AUTH: resp=, CONT: the rest (base64); NULL when absent */
} sasl_line;

/* LINE (no newline) is cut up in place and stays. 0, -EBADMSG malformed, -ENOENT an
 * unknown verb (to be skipped). */
int sasl_line_parse(char *line, sasl_line *ret);

/* Strict base64 to text without NUL; -EBADMSG. Caller frees (and wipes). */
int sasl_decode_text(const char *base64, char **ret_text);
/* PLAIN: [authzid] NUL authcid NUL password; an authzid must equal the authcid.
 * -EBADMSG malformed, -EPERM another authzid. */
int sasl_decode_plain(const char *base64, char **ret_user, char **ret_password);

#endif
