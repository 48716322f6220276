/* The directory itself: made and started on the first host, reached on any. */
#include "wizard/run.h"
#include "wizard/setup.h"

#define LDAPINIT  PREFIX "/libexec/zmldapinit"
#define LDAP_UNIT "zimbra-ldap.service"

enum { START_MS = 90 * 1000 };

bool directory_is_here(const answers *a)
{
    return answers_has_service(a, "ldap");
}

bool directory_make(setup *s, GError **error)
{
    const char *const argv[] = { LDAPINIT, NULL };
    return run_program(argv, NULL, NULL, error);
}

bool directory_start(setup *s, GError **error)
{
    service_bus *bus = setup_bus(s, error);
    return bus && service_unit_do(bus, LDAP_UNIT, SERVICE_START, START_MS, error);
}

bool directory_reach(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    g_autoptr(entry) config = dir ? directory_global_config(dir, error) : NULL;
    return config != NULL;
}
