/* The table of IMAP commands after login. */
#include "agents/store/shard/imap/cmd.h"

const char imap_capabilities[] = "IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS";

const imap_command imap_commands[] = {
    { "CAPABILITY", 0, cmd_capability },
    { "NOOP", 0, cmd_noop },
    { "LOGOUT", NO_SYNC, cmd_logout },
    { "ID", 0, cmd_id },
    { "ENABLE", 0, cmd_enable },
    { "NAMESPACE", 0, cmd_namespace },
    { "IDLE", 0, cmd_idle },
    { "SELECT", NO_SYNC, cmd_select },
    { "EXAMINE", NO_SYNC, cmd_examine },
    { "CREATE", 0, cmd_create },
    { "DELETE", 0, cmd_delete },
    { "RENAME", 0, cmd_rename },
    { "SUBSCRIBE", 0, cmd_subscribe },
    { "UNSUBSCRIBE", 0, cmd_unsubscribe },
    { "LIST", 0, cmd_list },
    { "LSUB", 0, cmd_lsub },
    { "STATUS", 0, cmd_status },
    { "APPEND", 0, cmd_append },
    { "CHECK", NEEDS_SELECTED, cmd_noop },
    { "CLOSE", NEEDS_SELECTED | NO_SYNC, cmd_close },
    { "UNSELECT", NEEDS_SELECTED | NO_SYNC, cmd_unselect },
    { "EXPUNGE", NEEDS_SELECTED | HAS_UID_FORM, cmd_expunge },
    { "SEARCH", NEEDS_SELECTED | HAS_UID_FORM | KEEPS_NUMBERS, cmd_search },
    { "FETCH", NEEDS_SELECTED | HAS_UID_FORM | KEEPS_NUMBERS, cmd_fetch },
    { "STORE", NEEDS_SELECTED | HAS_UID_FORM | KEEPS_NUMBERS, cmd_store },
    { "COPY", NEEDS_SELECTED | HAS_UID_FORM, cmd_copy },
    { "MOVE", NEEDS_SELECTED | HAS_UID_FORM, cmd_move },
};
const size_t imap_n_commands = G_N_ELEMENTS(imap_commands);

const char *imap_command_name(unsigned i)
{
    return i < imap_n_commands ? imap_commands[i].name : NULL;
}
