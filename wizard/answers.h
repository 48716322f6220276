/* What the administrator wants: the answer file of an unattended set-up, which is
 * what the interactive front ends write as well.
 *
 * GLib's key file format; the sections and keys are one table in answers.c and
 * docs/man/zmsetup.8. Values are taken as they stand, without escapes. */
#ifndef MAILSTEAD_WIZARD_ANSWERS_H
#define MAILSTEAD_WIZARD_ANSWERS_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *host_name;
    char *host_address;          /* NULL: the addresses of the interfaces */
    char **services;             /* names of lib/service, in the order given, each once */
    char *directory_url;         /* NULL: this host is the first and has the directory */
    char *directory_password;    /* of uid=zimbra; NULL: among the secrets */
    char *directory_ca;          /* file of the directory's CA certificate */
    char *directory_secrets;     /* file: localconfig.xml of a host of this directory */
    char *domain_name;           /* may be NULL on a joining host, as the next two */
    char *admin_address;
    char *admin_password;
    char *console_password;      /* of root on the console; NULL: see step-console.c */
    char *time_zone;             /* NULL: left as it is */
    GHashTable *secrets;         /* joining host: localconfig key -> value */
    char *digest;                /* tells one set of answers from another */
} answers;

/* Reads and checks PATH wholly; the error lists every problem, one a line, each
 * naming section, key, value and what is allowed. Changes nothing. */
answers *answers_read(const char *path, GError **error);
answers *answers_parse(const char *text, gsize len, GError **error);
/* The same problems of answers that are not complete yet, for front ends that ask
 * one after the other: "[section] key …" each; caller frees. */
char **answers_problems(GKeyFile *file);
void answers_free(answers *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(answers, answers_free)

bool answers_has_service(const answers *a, const char *name);
static inline bool answers_is_first_host(const answers *a)
{
    return a->directory_url == NULL;
}

/* localconfig keys that every host of a directory shares; NULL-terminated. */
extern const char *const answers_shared_secrets[];

#define ANSWERS_ERROR (answers_error_quark())
GQuark answers_error_quark(void);
enum { ANSWERS_ERROR_READ, ANSWERS_ERROR_INVALID };

#endif
