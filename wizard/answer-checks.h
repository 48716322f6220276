/* Checks of single answers: each gives NULL when VALUE is good, else what is
 * allowed. For answers.c. */
#ifndef MAILSTEAD_WIZARD_ANSWER_CHECKS_H
#define MAILSTEAD_WIZARD_ANSWER_CHECKS_H

char *check_host_name(const char *value);
char *check_address(const char *value);
char *check_services(const char *value);
char *check_directory_url(const char *value);
char *check_ca_file(const char *value);
char *check_readable_file(const char *value);
char *check_domain_name(const char *value);
char *check_mail_address(const char *value);
char *check_password(const char *value);
char *check_secret(const char *value);
char *check_time_zone(const char *value);

#endif
