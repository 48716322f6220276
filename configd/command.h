/* Runs another program with a time limit and keeps what it said. */
#ifndef MAILSTEAD_CONFIGD_COMMAND_H
#define MAILSTEAD_CONFIGD_COMMAND_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char **argv;              /* absolute path first */
    char **envp;
    const char *user;         /* "user" or "user:group"; NULL: as we are */
    const char *input;        /* standard input; NULL: empty */
    unsigned timeout_s;
} command;

typedef struct {
    int status;               /* exit status; 128 + signal */
    bool timed_out;
    char *out, *err;          /* at most 16 KiB each, valid UTF-8 */
} command_result;

/* Blocks. False (with error): it could not be run at all. */
bool command_run(const command *c, command_result *ret, GError **error);
void command_result_clear(command_result *r);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(command_result, command_result_clear)

#define COMMAND_ERROR (command_error_quark())
GQuark command_error_quark(void);

#endif
