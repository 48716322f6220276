/* The table of zmprov's commands (guide, appendix A). Help, completion, argument
 * check and dispatch come from its rows. */
#include "cli/zmprov/handlers.h"

#define PAIRS "[attr1 value1 [attr2 value2...]]"
#define ATTRS "[attr1 [attr2...]]"

static const command table[] = {
    { "addAccountAlias", "aaa", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {alias@domain}", run_add_alias, ENTRY_ACCOUNT },
    { "checkPasswordStrength", "cps", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {password|-|@file}", run_check_password, ENTRY_ACCOUNT },
    { "createAccount", "ca", CATEGORY_ACCOUNT, 2, ANY_NUMBER, "{name@domain} {password|''|-|@file} " PAIRS, run_create_account, ENTRY_ACCOUNT },
    { "deleteAccount", "da", CATEGORY_ACCOUNT, 1, 1, "{name@domain|id}", run_delete, ENTRY_ACCOUNT },
    { "getAccount", "ga", CATEGORY_ACCOUNT, 1, ANY_NUMBER, "[-e] {name@domain|id} " ATTRS, run_get, ENTRY_ACCOUNT },
    { "getAccountMembership", "gam", CATEGORY_ACCOUNT, 1, 2, "{name@domain|id}", run_get_memberships, ENTRY_ACCOUNT },
    { "getAllAccounts", "gaa", CATEGORY_ACCOUNT, 0, 5, "[-v] [-e] [-s server] [{domain}]", run_get_all, ENTRY_ACCOUNT },
    { "getAllAdminAccounts", "gaaa", CATEGORY_ACCOUNT, 0, ANY_NUMBER, "[-v] [-e] " ATTRS, run_get_admins, ENTRY_ACCOUNT },
    { "modifyAccount", "ma", CATEGORY_ACCOUNT, 3, ANY_NUMBER, "{name@domain|id} " PAIRS, run_modify, ENTRY_ACCOUNT },
    { "removeAccountAlias", "raa", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {alias@domain}", run_remove_alias, ENTRY_ACCOUNT },
    { "renameAccount", "ra", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {newName@domain}", run_rename, ENTRY_ACCOUNT },
    { "setAccountCos", "sac", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {cos-name|cos-id}", run_set_cos, ENTRY_ACCOUNT },
    { "setPassword", "sp", CATEGORY_ACCOUNT, 2, 2, "{name@domain|id} {password|-|@file}", run_set_password, ENTRY_ACCOUNT },

    { "createCalendarResource", "ccr", CATEGORY_CALENDAR, 1, ANY_NUMBER, "{name@domain} [{password}] " PAIRS, run_create_account,
      ENTRY_CALENDAR_RESOURCE },
    { "deleteCalendarResource", "dcr", CATEGORY_CALENDAR, 1, 1, "{name@domain|id}", run_delete, ENTRY_CALENDAR_RESOURCE },
    { "getAllCalendarResources", "gacr", CATEGORY_CALENDAR, 0, 5, "[-v] [-e] [-s server] [{domain}]", run_get_all, ENTRY_CALENDAR_RESOURCE },
    { "getCalendarResource", "gcr", CATEGORY_CALENDAR, 1, ANY_NUMBER, "{name@domain|id} " ATTRS, run_get, ENTRY_CALENDAR_RESOURCE },
    { "modifyCalendarResource", "mcr", CATEGORY_CALENDAR, 3, ANY_NUMBER, "{name@domain|id} " PAIRS, run_modify, ENTRY_CALENDAR_RESOURCE },
    { "renameCalendarResource", "rcr", CATEGORY_CALENDAR, 2, 2, "{name@domain|id} {newName@domain}", run_rename, ENTRY_CALENDAR_RESOURCE },

    { "getAllConfig", "gacf", CATEGORY_CONFIG, 0, ANY_NUMBER, ATTRS, run_get_all_config, ENTRY_GLOBAL_CONFIG },
    { "getConfig", "gcf", CATEGORY_CONFIG, 1, 1, "{name}", run_get_config, ENTRY_GLOBAL_CONFIG },
    { "modifyConfig", "mcf", CATEGORY_CONFIG, 2, ANY_NUMBER, "attr1 value1 [attr2 value2...]", run_modify_config, ENTRY_GLOBAL_CONFIG },

    { "copyCos", "cpc", CATEGORY_COS, 2, 2, "{src-cos-name|id} {dest-cos-name}", run_copy_cos, ENTRY_COS },
    { "createCos", "cc", CATEGORY_COS, 1, ANY_NUMBER, "{name} " PAIRS, run_create, ENTRY_COS },
    { "deleteCos", "dc", CATEGORY_COS, 1, 1, "{name|id}", run_delete, ENTRY_COS },
    { "getAllCos", "gac", CATEGORY_COS, 0, 1, "[-v]", run_get_all, ENTRY_COS },
    { "getCos", "gc", CATEGORY_COS, 1, ANY_NUMBER, "{name|id} " ATTRS, run_get, ENTRY_COS },
    { "modifyCos", "mc", CATEGORY_COS, 3, ANY_NUMBER, "{name|id} " PAIRS, run_modify, ENTRY_COS },
    { "renameCos", "rc", CATEGORY_COS, 2, 2, "{name|id} {newName}", run_rename, ENTRY_COS },

    { "countAccount", "cta", CATEGORY_DOMAIN, 1, 1, "{domain|id}", run_count_accounts, ENTRY_DOMAIN },
    { "createAliasDomain", "cad", CATEGORY_DOMAIN, 2, ANY_NUMBER, "{alias-domain-name} {local-domain-name|id} " PAIRS,
      run_create_alias_domain, ENTRY_DOMAIN },
    { "createDomain", "cd", CATEGORY_DOMAIN, 1, ANY_NUMBER, "{domain} " PAIRS, run_create, ENTRY_DOMAIN },
    { "deleteDomain", "dd", CATEGORY_DOMAIN, 1, 1, "{domain|id}", run_delete, ENTRY_DOMAIN },
    { "getAllDomains", "gad", CATEGORY_DOMAIN, 0, ANY_NUMBER, "[-v] [-e] " ATTRS, run_get_all, ENTRY_DOMAIN },
    { "getDomain", "gd", CATEGORY_DOMAIN, 1, ANY_NUMBER, "[-e] {domain|id} " ATTRS, run_get, ENTRY_DOMAIN },
    { "getDomainInfo", "gdi", CATEGORY_DOMAIN, 2, ANY_NUMBER, "name|id|virtualHostname {value} " ATTRS, run_get_domain_info, ENTRY_DOMAIN },
    { "modifyDomain", "md", CATEGORY_DOMAIN, 3, ANY_NUMBER, "{domain|id} " PAIRS, run_modify, ENTRY_DOMAIN },

    { "addDistributionListAlias", "adla", CATEGORY_LIST, 2, 2, "{list@domain|id} {alias@domain}", run_add_alias, ENTRY_DISTRIBUTION_LIST },
    { "addDistributionListMember", "adlm", CATEGORY_LIST, 2, ANY_NUMBER, "{list@domain|id} {member@domain}+", run_add_members,
      ENTRY_DISTRIBUTION_LIST },
    { "createDistributionList", "cdl", CATEGORY_LIST, 1, ANY_NUMBER, "{list@domain} " PAIRS, run_create, ENTRY_DISTRIBUTION_LIST },
    { "deleteDistributionList", "ddl", CATEGORY_LIST, 1, 1, "{list@domain|id}", run_delete, ENTRY_DISTRIBUTION_LIST },
    { "getAllDistributionLists", "gadl", CATEGORY_LIST, 0, 2, "[-v] [{domain}]", run_get_all, ENTRY_DISTRIBUTION_LIST },
    { "getDistributionList", "gdl", CATEGORY_LIST, 1, ANY_NUMBER, "{list@domain|id} " ATTRS, run_get_list, ENTRY_DISTRIBUTION_LIST },
    { "getDistributionListMembership", "gdlm", CATEGORY_LIST, 1, 1, "{name@domain|id}", run_get_memberships, ENTRY_DISTRIBUTION_LIST },
    { "modifyDistributionList", "mdl", CATEGORY_LIST, 3, ANY_NUMBER, "{list@domain|id} attr1 value1 [attr2 value2...]", run_modify,
      ENTRY_DISTRIBUTION_LIST },
    { "removeDistributionListAlias", "rdla", CATEGORY_LIST, 2, 2, "{list@domain|id} {alias@domain}", run_remove_alias,
      ENTRY_DISTRIBUTION_LIST },
    { "removeDistributionListMember", "rdlm", CATEGORY_LIST, 2, ANY_NUMBER, "{list@domain|id} {member@domain}+", run_remove_members,
      ENTRY_DISTRIBUTION_LIST },
    { "renameDistributionList", "rdl", CATEGORY_LIST, 2, 2, "{list@domain|id} {newName@domain}", run_rename, ENTRY_DISTRIBUTION_LIST },

    { "countObjects", "cto", CATEGORY_MISC, 1, 4,
      "{userAccount|account|alias|dl|domain|cos|server|calresource|internalUserAccount} [-d {domain|id}]", run_count_objects, ENTRY_OTHER },
    { "describe", "desc", CATEGORY_MISC, 0, ANY_NUMBER, "[[-v] [-ni] [{entry-type}]] | [-a {attribute-name}]", run_describe, ENTRY_OTHER },
    { "exit", "quit", CATEGORY_MISC, 0, 0, "", run_exit, ENTRY_OTHER },
    { "flushCache", "fc", CATEGORY_MISC, 1, ANY_NUMBER,
      "[-a] {acl|locale|skin|uistrings|license|all|account|config|globalgrant|cos|domain|galgroup|group|mime|server|zimlet} [name|id...]",
      run_flush_cache, ENTRY_OTHER },
    { "help", "?", CATEGORY_MISC, 0, 1, "[commands|{category}]", run_help, ENTRY_OTHER },

    { "getAllReverseProxyBackends", "garpb", CATEGORY_REVERSEPROXY, 0, 0, "", run_lookup_backends, ENTRY_SERVER },
    { "getAllReverseProxyDomains", "garpd", CATEGORY_REVERSEPROXY, 0, 0, "", run_proxied_domains, ENTRY_DOMAIN },
    { "getAllReverseProxyURLs", "garpu", CATEGORY_REVERSEPROXY, 0, 0, "", run_lookup_urls, ENTRY_SERVER },

    { "getGrants", "gg", CATEGORY_RIGHT, 2, 7, "[-t {target-type} [{target-id|target-name}]] [-g {grantee-type} {grantee-id|grantee-name}]",
      run_get_grants, ENTRY_OTHER },
    { "grantRight", "grr", CATEGORY_RIGHT, 3, 6,
      "{target-type} [{target-id|target-name}] {grantee-type} [{grantee-id|grantee-name} [secret]] {[-]right}", run_grant_right, ENTRY_OTHER },
    { "revokeRight", "rvr", CATEGORY_RIGHT, 3, 6,
      "{target-type} [{target-id|target-name}] {grantee-type} [{grantee-id|grantee-name}] {[-]right}", run_revoke_right, ENTRY_OTHER },

    { "searchAccounts", "sa", CATEGORY_SEARCH, 1, ANY_NUMBER,
      "[-v] {ldap-query} [limit {limit}] [offset {offset}] [sortBy {attr}] [sortAscending 0|1*] [domain {domain}]", run_search_accounts,
      ENTRY_ACCOUNT },

    { "createServer", "cs", CATEGORY_SERVER, 1, ANY_NUMBER, "{name} " PAIRS, run_create, ENTRY_SERVER },
    { "deleteServer", "ds", CATEGORY_SERVER, 1, 1, "{name|id}", run_delete, ENTRY_SERVER },
    { "getAllMemcachedServers", "gamcs", CATEGORY_SERVER, 0, 0, "", run_memcached_servers, ENTRY_SERVER },
    { "getAllMtaAuthURLs", "gamau", CATEGORY_SERVER, 0, 0, "", run_mta_auth_urls, ENTRY_SERVER },
    { "getAllServers", "gas", CATEGORY_SERVER, 0, 3, "[-v] [-e] [service]", run_get_all, ENTRY_SERVER },
    { "getServer", "gs", CATEGORY_SERVER, 1, ANY_NUMBER, "[-e] {name|id} " ATTRS, run_get, ENTRY_SERVER },
    { "modifyServer", "ms", CATEGORY_SERVER, 3, ANY_NUMBER, "{name|id} " PAIRS, run_modify, ENTRY_SERVER },
};

static const char *const category_words[CATEGORIES] = {
    [CATEGORY_ACCOUNT] = "account", [CATEGORY_CALENDAR] = "calendar", [CATEGORY_COMMANDS] = "commands", [CATEGORY_CONFIG] = "config",
    [CATEGORY_COS] = "cos", [CATEGORY_DOMAIN] = "domain", [CATEGORY_LIST] = "list", [CATEGORY_MISC] = "misc",
    [CATEGORY_REVERSEPROXY] = "reverseproxy", [CATEGORY_RIGHT] = "right", [CATEGORY_SEARCH] = "search", [CATEGORY_SERVER] = "server",
};

const command *command_table(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(table);
    return table;
}

const char *category_word(command_category category)
{
    return category_words[category];
}

const command *command_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_ascii_strcasecmp(name, table[i].name) == 0 || g_ascii_strcasecmp(name, table[i].alias) == 0)
            return &table[i];
    return NULL;
}

bool command_run(session *s, int argc, char **argv, GError **error)
{
    const command *c = command_find(argv[0]);
    if (!c)
        return invalid(error, "unknown command: %s (\"help commands\" lists all)", argv[0]);
    if (argc - 1 < c->min || (c->max != ANY_NUMBER && argc - 1 > c->max))
        return usage_error(c, error);
    return c->run(s, c, argc - 1, argv + 1, error);
}
