/* The steps of a set-up in their order. */
#include "wizard/setup.h"

static const setup_step steps[] = {
    { "host-name", "Host name", NULL, host_name_is_set, host_name_set },
    { "time-zone", "Time zone", time_zone_given, time_zone_is_set, time_zone_set },
    { "secrets", "Settings and secrets of this host", NULL, secrets_are_there, secrets_make },
    { "authority", "Certificate authority", NULL, authority_is_there, authority_make },
    { "certificate", "Certificate of this host", NULL, certificate_is_good, certificate_make },
    { "directory", "Directory", directory_is_here, NULL, directory_make },
    { "directory-start", "Starting the directory", directory_is_here, NULL, directory_start },
    { "directory-reach", "Logging in to the directory", NULL, NULL, directory_reach },
    { "server", "Entry of this host", NULL, NULL, server_register },
    { "domain", "First domain", domain_given, NULL, domain_make },
    { "admin", "Administrator's account", admin_given, NULL, admin_make },
    { "system-accounts", "System accounts", domain_given, NULL, system_accounts_make },
    { "adopt", "Accounts without a mail host", mailbox_here, NULL, accounts_adopt },
    { "enable", "Enabling services", NULL, NULL, services_enable },
    { "configd", "Writing the configuration", NULL, NULL, configd_start },
    { "start", "Starting services", NULL, NULL, services_start },
};

const setup_step *setup_steps(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(steps);
    return steps;
}
