/* Readiness of slapd, which does not speak systemd's notification protocol: it
 * is ready when it answers a read of its root entry. */
#include <errno.h>
#include <ldap.h>
#include <signal.h>
#include <time.h>

#include "wizard/ldapinit/ldapinit.h"

#define SLAPD_SOCKET "ldapi://%2Frun%2Fslapd%2Fldapi"

static int ask_root_entry(void)
{
    LDAP *ld = NULL;
    struct timeval limit = { .tv_sec = 2 };
    int version = LDAP_VERSION3;
    int rc = ldap_initialize(&ld, SLAPD_SOCKET);
    if (rc != LDAP_SUCCESS)
        return rc;
    LDAPMessage *answer = NULL;
    char *attrs[] = { (char *) LDAP_NO_ATTRS, NULL };
    (void) ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);    /* 3 is always there */
    (void) ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
    rc = ldap_search_ext_s(ld, "", LDAP_SCOPE_BASE, "(objectClass=*)", attrs, 0, NULL, NULL, &limit, 1, &answer);
    ldap_msgfree(answer);
    ldap_unbind_ext_s(ld, NULL, NULL);
    return rc;
}

/* systemd names the main process to ExecStartPost=: when that is dead, waiting
 * on would only keep systemd from starting it again. */
static bool main_process_died(void)
{
    const char *text = g_getenv("MAINPID");
    gint64 pid = text ? g_ascii_strtoll(text, NULL, 10) : 0;
    return pid > 1 && kill((pid_t) pid, 0) != 0 && errno == ESRCH;
}

bool ldapinit_wait(int seconds, GError **error)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    int rc;
    while ((rc = ask_root_entry()) != LDAP_SUCCESS) {
        bool died = main_process_died();
        if (died || g_get_monotonic_time() >= end) {
            g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE, "slapd %s: %s",
                        died ? "ended" : "does not answer in time", ldap_err2string(rc));
            return false;
        }
        (void) nanosleep(&pause, NULL);    /* a shorter pause only asks more often */
    }
    return true;
}
