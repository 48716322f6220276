/* Handlers of zmprov's commands, one file a subject; commands.c has the table. */
#ifndef MAILSTEAD_CLI_ZMPROV_HANDLERS_H
#define MAILSTEAD_CLI_ZMPROV_HANDLERS_H

#include "cli/zmprov/session.h"

#define HANDLER(name) bool name(session *s, const command *c, int argc, char **argv, GError **error)

/* object.c: what is the same for every kind */
HANDLER(run_get);
HANDLER(run_get_all);
HANDLER(run_create);
HANDLER(run_modify);
HANDLER(run_delete);
HANDLER(run_rename);
HANDLER(run_add_alias);
HANDLER(run_remove_alias);
/* account.c */
HANDLER(run_create_account);
HANDLER(run_set_password);
HANDLER(run_check_password);
HANDLER(run_set_cos);
HANDLER(run_get_admins);
HANDLER(run_get_memberships);
/* list.c */
HANDLER(run_get_list);
HANDLER(run_add_members);
HANDLER(run_remove_members);
/* domain.c */
HANDLER(run_create_alias_domain);
HANDLER(run_get_domain_info);
HANDLER(run_count_accounts);
HANDLER(run_copy_cos);
/* config.c */
HANDLER(run_get_all_config);
HANDLER(run_get_config);
HANDLER(run_modify_config);
/* proxy.c */
HANDLER(run_mta_auth_urls);
HANDLER(run_lookup_urls);
HANDLER(run_lookup_backends);
HANDLER(run_proxied_domains);
HANDLER(run_memcached_servers);
/* search.c */
HANDLER(run_search_accounts);
HANDLER(run_count_objects);
/* rights.c */
HANDLER(run_grant_right);
HANDLER(run_revoke_right);
HANDLER(run_get_grants);
/* describe.c */
HANDLER(run_describe);
/* shell.c */
HANDLER(run_help);
HANDLER(run_exit);
HANDLER(run_flush_cache);

/* ---- what they share ---- */

/* Words "attr value attr value…" into changes that borrow them. */
typedef struct { attr_change *list; size_t n; } change_list;
void change_list_clear(change_list *l);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(change_list, change_list_clear)
bool change_list_parse(session *s, int argc, char **argv, change_list *ret, GError **error);

/* The object of KIND by name or id. */
entry *find_object(directory *d, entry_kind kind, const char *name, GError **error);

/* Takes the option WORD off the front of the arguments when it is there. */
bool take_flag(int *argc, char ***argv, const char *word);
/* Takes "WORD VALUE"; NULL when it is not there. */
const char *take_option(int *argc, char ***argv, const char *word);

bool usage_error(const command *c, GError **error);
bool invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
