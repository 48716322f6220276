/* The steps of a set-up in their order. */
#include "wizard/setup.h"

static const setup_step steps[] = {
    { .name = "host-name", .title = "Host name", .is_done = host_name_is_set, .run = host_name_set,
      .transient = true },
    { .name = "time-zone", .title = "Time zone",
      .applies = time_zone_given, .is_done = time_zone_is_set, .run = time_zone_set, .transient = true },
    { .name = "console", .title = "Password of root on the console",
      .applies = console_applies, .is_done = console_is_done, .run = console_set, .transient = true },
    { .name = "keep", .title = "Keeping them for the next boot", .applies = on_image, .run = facts_keep, .transient = true },
    { .name = "secrets", .title = "Settings and secrets of this host",
      .is_done = secrets_are_there, .run = secrets_make },
    { .name = "authority", .title = "Certificate authority", .is_done = authority_is_there, .run = authority_make },
    { .name = "certificate", .title = "Certificate of this host",
      .is_done = certificate_is_good, .run = certificate_make },
    { .name = "directory", .title = "Directory", .applies = directory_is_here, .run = directory_make },
    { .name = "directory-start", .title = "Starting the directory",
      .applies = directory_is_here, .run = directory_start, .transient = true },
    { .name = "directory-reach", .title = "Logging in to the directory", .run = directory_reach },
    { .name = "server", .title = "Entry of this host", .run = server_register },
    { .name = "domain", .title = "First domain", .applies = domain_given, .run = domain_make },
    { .name = "admin", .title = "Administrator's account", .applies = admin_given, .run = admin_make },
    { .name = "system-accounts", .title = "System accounts", .applies = domain_given, .run = system_accounts_make },
    { .name = "adopt", .title = "Accounts without a mail host", .applies = mailbox_here, .run = accounts_adopt },
    { .name = "enable", .title = "Enabling services", .run = services_enable },
    { .name = "configd", .title = "Writing the configuration", .run = configd_start, .transient = true },
    { .name = "start", .title = "Starting services", .run = services_start, .transient = true },
};

const setup_step *setup_steps(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(steps);
    return steps;
}
