/* The pages of the wizard and what they suggest. Checks are those of the answer
 * file (draft_check). */
#include "wizard/questions.h"

#include <unistd.h>

#include "lib/service/service.h"

#define ZONES "/usr/share/zoneinfo"
#define ZONE_LIST ZONES "/tzdata.zi"

static char *suggest_host(const draft *d)
{
    char name[256] = "";
    return gethostname(name, sizeof name - 1) == 0 && strchr(name, '.') ? g_strdup(name) : NULL;
}

static char *suggest_domain(const draft *d)
{
    g_autofree char *host = draft_get(d, "host", "name");
    const char *dot = host ? strchr(host, '.') : NULL;
    return dot && strchr(dot + 1, '.') ? g_ascii_strdown(dot + 1, -1) : NULL;
}

static char *suggest_admin(const draft *d)
{
    g_autofree char *domain = draft_get(d, "domain", "name");
    return domain ? g_strdup_printf("admin@%s", domain) : NULL;
}

static char *suggest_zone(const draft *d)
{
    g_autofree char *link = g_file_read_link("/etc/localtime", NULL);
    const char *zone = link ? strstr(link, "zoneinfo/") : NULL;
    return g_strdup(zone && !strstr(zone, "Etc/") ? zone + strlen("zoneinfo/") : "UTC");
}

static char **service_choices(void)
{
    size_t n;
    const service_def *table = service_table(&n);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (size_t i = 0; i < n; i++)
        if (!table[i].always)
            g_strv_builder_add(names, table[i].name);
    return g_strv_builder_end(names);
}

/* Everything but what needs more than a tick: signing wants keys. */
static char *suggest_services(const draft *d)
{
    g_auto(GStrv) all = service_choices();
    g_autoptr(GString) names = g_string_new(NULL);
    for (char **name = all; *name; name++)
        if (!g_str_equal(*name, "opendkim"))
            g_string_append_printf(names, "%s%s", names->len ? "," : "", *name);
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The zones of tzdata's own list: lines "Z NAME …"; links ("L TARGET NAME") are older names. */
static char **zone_choices(void)
{
    g_autoptr(GPtrArray) zones = g_ptr_array_new();
    g_autofree char *text = NULL;
    g_ptr_array_add(zones, g_strdup("UTC"));
    if (g_file_get_contents(ZONE_LIST, &text, NULL, NULL)) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
            g_auto(GStrv) words = g_strsplit(*line, " ", 3);
            if (words[0] && words[1] && g_str_equal(words[0], "Z") && strchr(words[1], '/') &&
                !g_str_has_prefix(words[1], "Etc/"))
                g_ptr_array_add(zones, g_strdup(words[1]));
        }
    }
    qsort(zones->pdata, zones->len, sizeof *zones->pdata, by_name);
    g_ptr_array_add(zones, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&zones), FALSE);
}

static const question host[] = {
    { .section = "host", .key = "name", .label = "Host name", .suggest = suggest_host,
      .help = "The full name of this host, as the DNS has it: mail.example.com. Other mail servers and "
              "people's mail programs reach it by this name." },
};
static const question domain[] = {
    { .section = "domain", .key = "name", .label = "Mail domain", .suggest = suggest_domain,
      .help = "The first domain that gets mail here, the part after the @ of its addresses: example.com. "
              "More can be made later with zmprov createDomain." },
};
static const question administrator[] = {
    { .section = "admin", .key = "address", .label = "Address", .suggest = suggest_admin,
      .help = "The first administrator's account, in the mail domain. It also gets the mail for postmaster and root, "
              "and what the appliance has to tell." },
    { .section = "admin", .key = "password", .label = "Password", .kind = QUESTION_SECRET,
      .help = "6 to 64 characters." },
};
static const question console[] = {
    { .section = "console", .key = "password", .label = "Password of root", .kind = QUESTION_SECRET, .optional = true,
      .help = "For a login as root at this console. Left empty it is the administrator's password." },
};
static const question zone[] = {
    { .section = "time", .key = "zone", .label = "Time zone", .kind = QUESTION_ONE_OF,
      .suggest = suggest_zone, .choices = zone_choices,
      .help = "For the times in logs and reports, and for when the nightly jobs run." },
};
static const question services[] = {
    { .section = "host", .key = "services", .label = "Services", .kind = QUESTION_SOME_OF,
      .suggest = suggest_services, .choices = service_choices,
      .help = "What runs on this host. One host alone needs ldap, mailbox, mta and proxy; antispam, antivirus, memcached, "
              "logger, stats and snmp go with them." },
};

#define PAGE(t, q) { .title = (t), .questions = (q), .n = G_N_ELEMENTS(q) }
static const page pages[] = {
    PAGE("Host", host), PAGE("Domain", domain), PAGE("Administrator", administrator),
    PAGE("Console", console), PAGE("Time zone", zone), PAGE("Services", services),
};

const page *question_pages(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(pages);
    return pages;
}

char *question_value(const question *q, const draft *d)
{
    char *value = draft_get(d, q->section, q->key);
    if (!value && q->suggest)
        value = q->suggest(d);
    return value ? value : g_strdup("");
}

char *question_check(const question *q, const draft *d, const char *value)
{
    if (!*value && q->optional)
        return NULL;
    return *value ? draft_check(d, q->section, q->key, value) : g_strdup("An answer is needed.");
}

char *question_shown(const question *q, const draft *d)
{
    g_autofree char *value = draft_get(d, q->section, q->key);
    if (q->kind == QUESTION_SECRET)
        return g_strdup(value ? "(given)" : q->optional ? "(the administrator's)" : "(missing)");
    return g_strdup(value ? value : "(missing)");
}
