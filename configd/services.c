/* The enabled set: from facts to lib/service. */
#include "configd/services.h"

#include "lib/journal/journal.h"

#define APPLIANCE_TARGET "zimbra.target"

static char **enabled_names(const facts *values)
{
    size_t n;
    const service_def *table = service_table(&n);
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (size_t i = 0; i < n; i++)
        if (!table[i].always && facts_is_true(values, TEMPLATE_SERVICE, table[i].name))
            g_strv_builder_add(b, table[i].name);
    return g_strv_builder_end(b);
}

static bool same_names(char **a, char **b)
{
    if (!a || !b || g_strv_length(a) != g_strv_length(b))
        return false;
    for (; *a; a++)
        if (!g_strv_contains((const char *const *) b, *a))
            return false;
    return true;
}

bool services_follow(unit_driver *units, const facts *values, GError **error)
{
    static const char *const running[] = { "active", "activating", "reloading", NULL };
    g_auto(GStrv) wanted = enabled_names(values);
    g_auto(GStrv) current = units->enabled(units->data, NULL);
    if (same_names(current, wanted))
        return true;
    g_autofree char *text = g_strjoinv(" ", wanted);
    journal_info("enabled services are now: %s", text);
    if (!units->enable(units->data, (const char *const *) wanted, error))
        return false;
    g_autofree char *state = units->state(units->data, APPLIANCE_TARGET, error);
    if (!state)
        return false;
    return !g_strv_contains(running, state) || units->converge(units->data, error);
}
