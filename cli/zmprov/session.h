/* zmprov: one run, one command. See main.c. */
#ifndef MAILSTEAD_CLI_ZMPROV_SESSION_H
#define MAILSTEAD_CLI_ZMPROV_SESSION_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/directory/directory.h"

typedef struct session {
    localconfig *lc;
    directory *reader, *writer; /* NULL until needed; may be the same */
    char *account, *password;   /* -a, -p: who acts, for the audit record */
    char *server;               /* -s */
    bool from_master;           /* -m */
    bool verbose;               /* -v */
    bool debug;                 /* -d */
    bool replace;               /* -r */
    bool quit;                  /* "exit" was typed */
} session;

/* Connect on first use; NULL with ERROR. Borrowed. */
directory *session_reader(session *s, GError **error);
directory *session_writer(session *s, GError **error);
void session_done(session *s);

typedef enum {
    CATEGORY_ACCOUNT, CATEGORY_CALENDAR, CATEGORY_COMMANDS, CATEGORY_CONFIG, CATEGORY_COS, CATEGORY_DOMAIN,
    CATEGORY_LIST, CATEGORY_MISC, CATEGORY_REVERSEPROXY, CATEGORY_RIGHT, CATEGORY_SEARCH, CATEGORY_SERVER, CATEGORIES,
} command_category;

#define ANY_NUMBER (-1)

typedef struct command {
    const char *name, *alias;   /* long and short; compared without case */
    command_category category;
    int min, max;               /* arguments; max ANY_NUMBER */
    const char *usage;
    bool (*run)(session *s, const struct command *c, int argc, char **argv, GError **error);
    entry_kind kind;            /* what it is about, for handlers of several kinds */
} command;

const command *command_find(const char *name);
const command *command_table(size_t *ret_n);
const char *category_word(command_category category);

/* Finds and runs ARGV (command and arguments); false with ERROR. */
bool command_run(session *s, int argc, char **argv, GError **error);
/* "ERROR: account.NO_SUCH_ACCOUNT (no such account: x)" on stderr. */
void report_error(const GError *error);

/* Commands from FILE ("-": stdin) or typed; the number that failed. */
int run_file(session *s, const char *path);
int run_interactive(session *s);

#endif
