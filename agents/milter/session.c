/* Sender rights at RCPT TO: who sends is the authenticated user (macro
 * {auth_authen}), else the envelope sender. Whether he may is zmauthd's to say. */
#include "agents/milter/session.h"

#include <libmilter/mfapi.h>
#include <string.h>

#include "lib/auth/wire.h"
#include "lib/journal/journal.h"

static asker *all;           /* libmilter hands no pointer of ours to its callbacks */

typedef struct {
    char *sender;
    bool logged_in;
} session;

char *session_address(const char *argument)
{
    size_t n = strlen(argument);
    if (n >= 2 && argument[0] == '<' && argument[n - 1] == '>')
        return g_strndup(argument + 1, n - 2);
    return g_strdup(argument);
}

char *session_refusal(const char *sender, const char *list)
{
    g_autofree char *who = journal_escape(sender, strlen(sender), 200);
    g_autofree char *what = journal_escape(list, strlen(list), 200);
    char *text = g_strdup_printf("Sender <%s> is not allowed to send to the distribution list <%s>", who, what);
    return g_strdelimit(text, "%", '?');
}

static void drop(SMFICTX *ctx)
{
    session *s = smfi_getpriv(ctx);
    if (!s)
        return;
    (void) smfi_setpriv(ctx, NULL);   /* fails only without a session */
    g_free(s->sender);
    g_free(s);
}

static sfsistat on_sender(SMFICTX *ctx, char **argv)
{
    char macro[] = "{auth_authen}";
    const char *login = smfi_getsymval(ctx, macro);
    session *s = g_new0(session, 1);
    drop(ctx);
    s->logged_in = login && *login;
    s->sender = s->logged_in ? g_strdup(login) : session_address(argv[0]);
    (void) smfi_setpriv(ctx, s);
    return SMFIS_CONTINUE;
}

static sfsistat temporary(SMFICTX *ctx)
{
    char code[] = "451", status[] = "4.3.0", text[] = "The sender's rights cannot be looked up now, try again later";
    (void) smfi_setreply(ctx, code, status, text);   /* without it the MTA's own words */
    return SMFIS_TEMPFAIL;
}

static sfsistat refuse(SMFICTX *ctx, const session *s, const char *list)
{
    char code[] = "571", status[] = "5.7.1";
    g_autofree char *text = session_refusal(s->sender, list);
    g_autofree char *sender = journal_escape(s->sender, strlen(s->sender), 300);
    g_autofree char *message = g_strdup_printf("%s may not send to list %s", *sender ? sender : "<>", list);
    journal_fields(LOG_INFO, message, "SENDER", sender, "LIST", list,
                   "LOGGED_IN", s->logged_in ? "1" : "0", NULL);
    (void) smfi_setreply(ctx, code, status, text);
    return SMFIS_REJECT;
}

static sfsistat on_recipient(SMFICTX *ctx, char **argv)
{
    session *s = smfi_getpriv(ctx);
    g_autofree char *address = session_address(argv[0]);
    g_autofree char *list = NULL;
    /* Longer than any address of ours: not a list. */
    if (!s || strlen(address) > auth_wire_limit(AUTH_F_ADDRESS))
        return SMFIS_CONTINUE;
    if (strlen(s->sender) > auth_wire_limit(AUTH_F_SENDER))
        s->sender[0] = 0;
    switch (asker_may_send(all, address, s->sender, s->logged_in, &list)) {
    case AUTH_OK:
    case AUTH_NO_SUCH:
        return SMFIS_CONTINUE;
    case AUTH_DENIED:
        return refuse(ctx, s, list ? list : address);
    case AUTH_TEMPFAIL:
        break;
    }
    return temporary(ctx);
}

static sfsistat on_abort(SMFICTX *ctx)
{
    drop(ctx);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    drop(ctx);
    return SMFIS_CONTINUE;
}

bool session_register(asker *a)
{
    char name[] = "zmmilter";
    struct smfiDesc callbacks = {
        .xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_flags = 0,
        .xxfi_envfrom = on_sender, .xxfi_envrcpt = on_recipient,
        .xxfi_abort = on_abort, .xxfi_close = on_close,
    };
    all = a;
    return smfi_register(callbacks) == MI_SUCCESS;
}
