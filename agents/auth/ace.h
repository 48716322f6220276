/* Grants of one right as the directory keeps them in zimbraACE:
 *
 *     GRANTEE TYPE [MODIFIERS]RIGHT
 *
 * GRANTEE is a zimbraId (usr, grp, dom), a placeholder (all, pub) or an address
 * with an optional ":secret" behind it (gst, key); it may stand in double quotes.
 * MODIFIERS: "-" denies, "+" and "*" do not matter here. Pure: no directory. */
#ifndef MAILSTEAD_AGENTS_AUTH_ACE_H
#define MAILSTEAD_AGENTS_AUTH_ACE_H

#include <glib.h>
#include <stdbool.h>

typedef enum { ACE_USER, ACE_GUEST, ACE_GROUP, ACE_DOMAIN, ACE_ALL, ACE_PUBLIC } ace_type;

typedef struct {
    ace_type type;
    bool deny;
    char *grantee;   /* without quotes and secret */
} ace;

void ace_free(ace *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ace, ace_free)

/* NULL when TEXT is malformed, of an unknown type, or another right than RIGHT. */
ace *ace_parse(const char *text, const char *right);

typedef bool (*ace_match_fn)(const ace *a, void *data);
typedef enum { ACE_NO_GRANT, ACE_NOT_GRANTED, ACE_GRANTED, ACE_DENIED } ace_verdict;

/* What the grants of RIGHT among VALUES (zimbraACE, NULL-terminated) say of the
 * one that MATCH knows. The more specific grantee decides (user, group, domain,
 * all, public), a denial before a grant of the same kind. ACE_NO_GRANT: the right
 * is not mentioned at all. */
ace_verdict ace_evaluate(const char *const *values, const char *right, ace_match_fn match, void *data);

#endif
