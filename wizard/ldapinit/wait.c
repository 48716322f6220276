/* Readiness of slapd, which does not speak systemd's notification protocol: it
 * is ready when it answers a read of its root entry. */
#include <ldap.h>
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

bool ldapinit_wait(int seconds, GError **error)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    int rc;
    while ((rc = ask_root_entry()) != LDAP_SUCCESS) {
        if (g_get_monotonic_time() >= end) {
            g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE, "slapd does not answer within %d s: %s",
                        seconds, ldap_err2string(rc));
            return false;
        }
        (void) nanosleep(&pause, NULL);    /* a shorter pause only asks more often */
    }
    return true;
}
