/* Derived values: a table of functions, each of which reads some facts and sets
 * others. Pure but for derived_own_networks(), which asks the kernel. */
#include "configd/derived.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <math.h>
#include <net/if.h>
#include <string.h>

#define VAR TEMPLATE_VAR

/* zimbraIPMode -> addresses and protocol words. */
static void derive_ip_mode(facts *f)
{
    static const struct { const char *mode, *local, *protocol, *inet; bool v4, v6; } modes[] = {
        { "ipv4", "127.0.0.1", "ipv4", "inet", true, false },
        { "ipv6", "::1", "ipv6", "inet6", false, true },
        { "both", "127.0.0.1", "all", "inet6", true, true },
    };
    static const char *const ports[] = { "10024", "10026", "10032" };
    const char *mode = facts_first(f, VAR, "zimbraIPMode", "ipv4");
    size_t m = 0;
    while (m < G_N_ELEMENTS(modes) - 1 && g_ascii_strcasecmp(modes[m].mode, mode))
        m++;
    if (g_ascii_strcasecmp(modes[m].mode, mode))
        m = 0;
    facts_set_one(f, VAR, "zimbraLocalBindAddress", modes[m].local);
    facts_set_one(f, VAR, "zimbraPostconfProtocol", modes[m].protocol);
    facts_set_one(f, VAR, "zimbraInetMode", modes[m].inet);
    facts_set(f, VAR, "zimbraAmavisListenSockets", (const char *const[]) { NULL });
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        g_autofree char *v4 = g_strconcat("127.0.0.1:", ports[i], NULL), *v6 = g_strconcat("[::1]:", ports[i], NULL);
        if (modes[m].v4)
            facts_add(f, VAR, "zimbraAmavisListenSockets", v4);
        if (modes[m].v6)
            facts_add(f, VAR, "zimbraAmavisListenSockets", v6);
    }
}

/* zimbraMtaRestriction -> plain restrictions and the names of block lists. */
static void derive_restrictions(facts *f)
{
    static const struct { const char *word, *key; } lists[] = {
        { "reject_rbl_client", "zimbraMtaRestrictionRBLs" },
        { "reject_rhsbl_client", "zimbraMtaRestrictionRHSBLCs" },
        { "reject_rhsbl_reverse_client", "zimbraMtaRestrictionRHSBLRCs" },
        { "reject_rhsbl_sender", "zimbraMtaRestrictionRHSBLSs" },
    };
    static const char *const none[] = { NULL };
    const char *const *values = facts_get(f, VAR, "zimbraMtaRestriction");
    g_autoptr(GStrvBuilder) plain = g_strv_builder_new();

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        facts_set(f, VAR, lists[i].key, none);
    for (; values && *values; values++) {
        g_auto(GStrv) words = g_strsplit_set(*values, " \t,", -1);
        g_autoptr(GString) rest = g_string_new(NULL);
        for (char **w = words; *w; w++) {
            size_t l = 0;
            while (l < G_N_ELEMENTS(lists) && !g_str_equal(lists[l].word, *w))
                l++;
            if (l < G_N_ELEMENTS(lists)) {
                while (w[1] && !*w[1])
                    w++;
                if (w[1])
                    facts_add(f, VAR, lists[l].key, *++w);
            } else if (**w) {
                g_string_append_printf(rest, "%s%s", rest->len ? " " : "", *w);
            }
        }
        if (rest->len)
            g_strv_builder_add(plain, rest->str);
    }
    g_auto(GStrv) left = g_strv_builder_end(plain);
    facts_set(f, VAR, "zimbraMtaRestriction", (const char *const *) left);
}

static void derive_networks(facts *f, const char *const *own)
{
    const char *const *values = facts_get(f, VAR, "zimbraMtaMyNetworks");
    if (!values || !values[0] || !*values[0])
        facts_set(f, VAR, "zimbraMtaMyNetworks", own);
    facts_set(f, VAR, "zimbraMtaMyNetworksPerLine", (const char *const[]) { NULL });
    for (values = facts_get(f, VAR, "zimbraMtaMyNetworks"); *values; values++) {
        g_auto(GStrv) parts = g_strsplit_set(*values, " ,\t", -1);
        for (char **p = parts; *p; p++)
            if (**p)
                facts_add(f, VAR, "zimbraMtaMyNetworksPerLine", *p);
    }
}

static void derive_milters(facts *f)
{
    static const char *const none[] = { NULL };
    if (!facts_get(f, VAR, "zimbraMtaSmtpdMilters"))
        facts_set(f, VAR, "zimbraMtaSmtpdMilters", none);
    if (!facts_is_true(f, VAR, "zimbraMilterServerEnabled"))
        return;
    const char *address = facts_first(f, VAR, "zimbraMilterBindAddress", "127.0.0.1");
    const char *port = facts_first(f, VAR, "zimbraMilterBindPort", "7026");
    g_autofree char *milter = strchr(address, ':') ? g_strdup_printf("inet:[%s]:%s", address, port)
                                                   : g_strdup_printf("inet:%s:%s", address, port);
    facts_add(f, VAR, "zimbraMtaSmtpdMilters", milter);
}

static void derive_quarantine(facts *f)
{
    bool quarantined = facts_is_true(f, VAR, "zimbraMtaBlockedExtensionWarnRecipient") &&
                       *facts_first(f, VAR, "zimbraAmavisQuarantineAccount", "");
    facts_set_one(f, VAR, "zimbraQuarantineBannedItems", quarantined ? "TRUE" : "FALSE");
}

/* A percentage of 20 points, as amavisd's levels are counted. */
static void derive_scores(facts *f)
{
    static const struct { const char *percent, *score; } scores[] = {
        { "zimbraSpamTagPercent", "zimbraSpamTagScore" },
        { "zimbraSpamKillPercent", "zimbraSpamKillScore" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(scores); i++) {
        const char *percent = facts_first(f, VAR, scores[i].percent, NULL);
        guint64 n;
        if (!percent || !g_ascii_string_to_unsigned(percent, 10, 0, 100, &n, NULL))
            continue;
        char buffer[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(buffer, sizeof buffer, "%.10g", round(n * 20.0) / 100);
        facts_set_one(f, VAR, scores[i].score, buffer);
    }
}

void derived_compute(facts *f, const char *const *own_networks)
{
    static void (*const table[])(facts *) = {
        derive_ip_mode, derive_restrictions, derive_milters, derive_quarantine, derive_scores,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        table[i](f);
    derive_networks(f, own_networks);
}

/* ---- this host's addresses ---- */

/* ADDRESS as a network of one host; NULL for link-local and other families. */
static char *network_text(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *) address)->sin_addr, text, sizeof text);
        return g_strdup_printf("%s/32", text);
    }
    if (address->sa_family != AF_INET6)
        return NULL;
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *) address)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(in6))
        return NULL;
    inet_ntop(AF_INET6, in6, text, sizeof text);
    return g_strdup_printf("[%s]/128", text);
}

char **derived_own_networks(void)
{
    g_autoptr(GPtrArray) networks = g_ptr_array_new();
    struct ifaddrs *all = NULL;

    g_ptr_array_add(networks, g_strdup("127.0.0.0/8"));
    g_ptr_array_add(networks, g_strdup("[::1]/128"));
    if (getifaddrs(&all) == 0) {
        for (struct ifaddrs *i = all; i; i = i->ifa_next) {
            char *text = i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK) ? network_text(i->ifa_addr) : NULL;
            if (text)
                g_ptr_array_add(networks, text);
        }
        freeifaddrs(all);
    }
    g_ptr_array_add(networks, NULL);
    return (char **) g_ptr_array_steal(networks, NULL);
}
