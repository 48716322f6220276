/* Life of questions and answers: see question.h. */
#include "agents/auth/question.h"

#include <string.h>

question *question_new(auth_op op)
{
    question *q = g_new0(question, 1);
    q->op = op;
    return q;
}

void question_free(question *q)
{
    if (!q)
        return;
    if (q->password)
        explicit_bzero(q->password, strlen(q->password));
    g_free(q->protocol);
    g_free(q->user);
    g_free(q->password);
    g_free(q->client_ip);
    g_free(q->address);
    g_free(q->sender);
    g_free(q);
}

answer *answer_new(auth_status status, const char *reason)
{
    answer *a = g_new0(answer, 1);
    g_atomic_ref_count_init(&a->refs);
    a->status = status;
    a->reason = g_strdup(reason);
    return a;
}

answer *answer_ref(answer *a)
{
    g_atomic_ref_count_inc(&a->refs);
    return a;
}

void answer_unref(answer *a)
{
    if (!a || !g_atomic_ref_count_dec(&a->refs))
        return;
    g_free(a->account_id);
    g_free(a->name);
    g_free(a->account_status);
    g_free(a->mail_host);
    g_free(a->mail_transport);
    g_free(a->reason);
    g_free(a->ticket);
    g_free(a->route_key);
    g_free(a->list);
    g_free(a->account_dn);
    g_free(a->domain_dn);
    g_free(a);
}

answer *answer_copy(const answer *a)
{
    answer *b = answer_new(a->status, a->reason);
    b->account_id = g_strdup(a->account_id);
    b->name = g_strdup(a->name);
    b->account_status = g_strdup(a->account_status);
    b->mail_host = g_strdup(a->mail_host);
    b->mail_transport = g_strdup(a->mail_transport);
    b->quota_bytes = a->quota_bytes;
    b->imap_port = a->imap_port;
    b->pop3_port = a->pop3_port;
    b->list = g_strdup(a->list);
    b->route_key = g_strdup(a->route_key);
    b->proof = a->proof;
    b->keep = a->keep;
    b->account_dn = g_strdup(a->account_dn);
    b->domain_dn = g_strdup(a->domain_dn);
    return b;
}
