/* See agentx.h.
 *
 * The loop: net-snmp opens and closes descriptors as it likes, and epoll forgets a
 * descriptor that was closed even when the next one gets its number. So what it
 * waits for is asked after every turn of the loop and armed anew (rearm()).
 *
 * The session's health: a ping every PING_S. The interval must be set between
 * init_agent(), which sets its own, and init_snmp(), which begins to use it. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>

#include "agents/snmp/agentx.h"
#include "agents/snmp/varbind.h"

#include <sys/epoll.h>
#include "lib/journal/journal.h"

enum {
    PING_S = 1, WAIT_S = 2, RETRIES = 1,
    PRIORITY_REARM = SD_EVENT_PRIORITY_IMPORTANT,   /* before any other descriptor is looked at */
    PDU_NOTIFY = 12,            /* agentx-Notify-PDU, RFC 2741 §6.2.10; net-snmp installs no name for it */
};

struct agentx {
    sd_event *event;
    sd_event_source *post, *timer;
    GPtrArray *sources;         /* sd_event_source *, of net-snmp's descriptors */
    netsnmp_session *session;   /* NULL: none */
    tree *shown;
    void (*changed)(void *data);
    void *data;
    agentx_done done;           /* of the notification under way; NULL none */
    void *done_data;
};

/* ---- requests ---- */

static void answer(const tree *t, int mode, netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
    oid_path asked = { .n = 0 };
    const instance *i = NULL;
    if (varbind_to_path(request->requestvb->name, request->requestvb->name_length, &asked))
        i = mode == MODE_GET ? tree_get(t, asked.id, asked.n) : tree_next(t, asked.id, asked.n, request->inclusive);
    if (i)
        varbind_set(request->requestvb, i);
    else if (mode == MODE_GET)
        (void) netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);   /* returns what it was given */
}

static int on_request(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                      netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    const agentx *a = handler->myvoid;
    if (info->mode != MODE_GET && info->mode != MODE_GETNEXT)
        return SNMP_ERR_GENERR;
    for (netsnmp_request_info *r = requests; r; r = r->next)
        if (!r->processed)
            answer(a->shown, info->mode, info, r);
    return SNMP_ERR_NOERROR;
}

static bool register_subtree(agentx *a, const char *name, const guint32 *base, size_t n)
{
    oid root[OID_MAX];
    for (size_t i = 0; i < n; i++)
        root[i] = base[i];
    netsnmp_mib_handler *handler = netsnmp_create_handler(name, on_request);
    if (!handler)
        return false;
    handler->myvoid = a;
    netsnmp_handler_registration *r = netsnmp_handler_registration_create(name, handler, root, n, HANDLER_CAN_RONLY);
    return r && netsnmp_register_handler(r) == MIB_REGISTERED_OK;
}

static bool register_all(agentx *a)
{
    static const guint32 own[] = { OID_MODULE }, services[] = { OID_MIB_2, 27 }, mta[] = { OID_MIB_2, 28 };
    return register_subtree(a, "mailstead", own, G_N_ELEMENTS(own)) &&
           register_subtree(a, "networkServices", services, G_N_ELEMENTS(services)) &&
           register_subtree(a, "mta", mta, G_N_ELEMENTS(mta));
}

/* ---- the session comes and goes ---- */

static void finish_notification(agentx *a, bool taken)
{
    agentx_done done = a->done;
    a->done = NULL;
    if (done)
        done(taken, a->done_data);
}

static int on_session_begins(int major, int minor, void *server, void *client)
{
    agentx *a = client;
    a->session = server;
    journal_info("connected to snmpd");
    a->changed(a->data);
    return 0;
}

static int on_session_ends(int major, int minor, void *server, void *client)
{
    agentx *a = client;
    if (a->session)
        journal_info("snmpd is gone; connecting again when it is back");
    a->session = NULL;
    finish_notification(a, false);
    a->changed(a->data);
    return 0;
}

static int on_log(int major, int minor, void *server, void *client)
{
    const struct snmp_log_message *m = server;
    g_autofree char *text = journal_escape(m->msg, strcspn(m->msg, "\n"), 300);
    journal_log(MAX(m->priority, LOG_WARNING), "net-snmp: %s", text);
    return 0;
}

/* ---- the loop ---- */

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *data)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    snmp_read(&set);
    return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    snmp_timeout();
    run_alarms();
    return 0;
}

static void source_free(void *data)
{
    sd_event_source_disable_unref(data);
}

static int rearm(agentx *a)
{
    int n = 0, block = 1;
    struct timeval wait = { .tv_sec = PING_S };
    fd_set set;
    FD_ZERO(&set);
    g_ptr_array_set_size(a->sources, 0);
    snmp_select_info(&n, &set, &wait, &block);
    for (int fd = 0; fd < n; fd++) {
        sd_event_source *s;
        if (!FD_ISSET(fd, &set))
            continue;
        int r = sd_event_add_io(a->event, &s, fd, EPOLLIN, on_readable, a);
        if (r < 0)
            return r;
        g_ptr_array_add(a->sources, s);
    }
    if (block)
        wait = (struct timeval) { .tv_sec = PING_S };
    int r = sd_event_source_set_time_relative(a->timer, (uint64_t) wait.tv_sec * G_USEC_PER_SEC + (uint64_t) wait.tv_usec);
    return r < 0 ? r : sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

static int on_turn(sd_event_source *s, void *data)
{
    netsnmp_check_outstanding_agent_requests();
    return rearm(data);
}

/* ---- set-up ---- */

static void set_options(const char *socket)
{
    static const int on[] = { NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                              NETSNMP_DS_LIB_ALARM_DONT_USE_SIG, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD };
    for (size_t i = 0; i < G_N_ELEMENTS(on); i++)
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, on[i], 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, socket);
}

static bool start_library(agentx *a, const char *socket)
{
    snmp_disable_log();
    snmp_enable_calllog();
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, a);
    set_options(socket);
    if (init_agent("zmsnmpagent") != 0)
        return false;
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, PING_S);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_TIMEOUT, WAIT_S * G_USEC_PER_SEC);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_RETRIES, RETRIES);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_session_begins, a);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_session_ends, a);
    bool registered = register_all(a);
    init_snmp("zmsnmpagent");
    return registered;
}

agentx *agentx_new(sd_event *event, const char *socket, void (*changed)(void *data), void *data)
{
    agentx *a = g_new0(agentx, 1);
    *a = (agentx) { .event = sd_event_ref(event), .changed = changed, .data = data, .shown = tree_new() };
    a->sources = g_ptr_array_new_with_free_func(source_free);
    int r = sd_event_add_time_relative(event, &a->timer, CLOCK_MONOTONIC, 0, 1, on_timer, a);
    if (r >= 0)
        r = sd_event_add_post(event, &a->post, on_turn, a);
    if (r >= 0)
        r = sd_event_source_set_priority(a->post, PRIORITY_REARM);
    g_assert(r >= 0);
    if (start_library(a, socket))
        return a;
    agentx_free(a);
    return NULL;
}

/* net-snmp itself is left as it is: its shutdown would free what callbacks and
 * handlers were given. snmpd sees the end of the process at its socket. */
void agentx_free(agentx *a)
{
    if (!a)
        return;
    g_ptr_array_unref(a->sources);
    sd_event_source_disable_unref(a->post);
    sd_event_source_disable_unref(a->timer);
    tree_free(a->shown);
    sd_event_unref(a->event);
    g_free(a);
}

void agentx_show(agentx *a, tree *t)
{
    tree_free(a->shown);
    a->shown = t;
}

bool agentx_is_connected(const agentx *a)
{
    return a->session != NULL;
}

/* ---- notifications ---- */

static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *data)
{
    bool taken = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == SNMP_ERR_NOERROR;
    if (!taken)
        journal_warning("snmpd did not take a notification (%s); it is sent again",
                        operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE ? snmp_errstring((int) pdu->errstat) : "no answer");
    finish_notification(data, taken);
    return 1;
}

bool agentx_notify(agentx *a, const notification *n, const record *row, agentx_done done, void *data)
{
    if (!a->session || a->done)
        return false;
    netsnmp_pdu *pdu = snmp_pdu_create(PDU_NOTIFY);
    g_assert(pdu);
    pdu->sessid = a->session->sessid;
    pdu->variables = varbind_notification(n, row);
    a->done = done;
    a->done_data = data;
    if (snmp_async_send(a->session, pdu, on_answer, a))
        return true;
    snmp_free_pdu(pdu);
    a->done = NULL;
    return false;
}
