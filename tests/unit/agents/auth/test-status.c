#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "agents/auth/status.h"

static void table_of_the_rulings(void **state)
{
    static const struct { const char *account, *domain, *effective; } cases[] = {
        { NULL, NULL, "active" }, { "active", "active", "active" }, { "Active", "ACTIVE", "active" },
        { "locked", NULL, "locked" }, { "lockout", "active", "lockout" }, { "pending", "active", "pending" },
        /* a closed domain beats all */
        { "active", "closed", "closed" }, { "maintenance", "closed", "closed" }, { "pending", "closed", "closed" },
        /* locked yields to the account's maintenance and closed; pending bounces; lockout counts as locked */
        { "active", "locked", "locked" }, { "maintenance", "locked", "maintenance" }, { "closed", "locked", "closed" },
        { "pending", "locked", "pending" }, { "lockout", "locked", "locked" },
        /* maintenance and suspended yield to the account's closed; pending queues */
        { "active", "maintenance", "maintenance" }, { "closed", "maintenance", "closed" },
        { "pending", "maintenance", "maintenance" }, { "locked", "suspended", "maintenance" },
        { "pending", "suspended", "maintenance" }, { "closed", "suspended", "closed" },
        { "active", "shutdown", "maintenance" },
        /* words that nobody knows are not let in */
        { "happy", "active", "closed" }, { "active", "happy", "closed" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(status_effective(cases[i].account, cases[i].domain), cases[i].effective);
}

static void only_active_logs_in(void **state)
{
    static const char *const others[] = { "maintenance", "locked", "lockout", "pending", "closed" };
    assert_true(status_may_log_in("active"));
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        assert_false(status_may_log_in(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table_of_the_rulings), cmocka_unit_test(only_active_logs_in) };
    return cmocka_run_group_tests_name("zmauthd-status", tests, NULL, NULL);
}
