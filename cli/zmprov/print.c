/* How entries are shown: see print.h. Secrets are named, never shown. */
#include "cli/zmprov/print.h"

#include <stdio.h>

#include "lib/schema/schema.h"

#define BLOCKED "VALUE-BLOCKED"

/* NAME (and VALUE) are asked for by one of WANTED. */
static bool is_wanted(char **wanted, const char *name, const char *value)
{
    if (!wanted || !*wanted)
        return true;
    for (; *wanted; wanted++) {
        const char *equals = strchr(*wanted, '=');
        g_autofree char *asked = equals ? g_strndup(*wanted, (gsize) (equals - *wanted)) : g_strdup(*wanted);
        const attr_def *def = schema_attr(asked);
        if (g_ascii_strcasecmp(def ? def->name : asked, name) == 0 &&
            (!equals || g_ascii_strcasecmp(equals + 1, value) == 0))
            return true;
    }
    return false;
}

void print_attrs(const entry *e, char **wanted, bool inherited)
{
    g_autofree const char **attrs = entry_attrs(e, inherited);
    for (const char **a = attrs; *a; a++) {
        const attr_def *def = schema_attr(*a);
        bool secret = def && (def->flags & ATTR_SECRET);
        const char *const *values = inherited ? entry_get_all(e, *a) : entry_get_all_own(e, *a);
        for (; *values; values++)
            if (is_wanted(wanted, *a, *values))
                printf("%s: %s\n", *a, secret ? BLOCKED : *values);
    }
}

void print_entry(const entry *e, char **wanted, bool inherited)
{
    printf("# name %s\n", entry_name(e));
    print_attrs(e, wanted, inherited);
    printf("\n");
}

void print_list(const entry *e, char **wanted)
{
    const char *const *members = entry_get_all_own(e, "zimbraMailForwardingAddress");
    printf("# distributionList %s memberCount=%u\n", entry_name(e), g_strv_length((char **) members));
    print_attrs(e, wanted, false);
    printf("\nmembers\n");
    for (; *members; members++)
        printf("%s\n", *members);
}
