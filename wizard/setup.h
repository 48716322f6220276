/* The set-up engine: a table of steps, run in order, each recorded when done.
 *
 * A step is idempotent: it may be cut short at any instruction and run again.
 * Front ends (zmsetup.c) give answers and show progress; steps know neither a
 * screen nor a file format. */
#ifndef MAILSTEAD_WIZARD_SETUP_H
#define MAILSTEAD_WIZARD_SETUP_H

#include <glib.h>
#include <stdbool.h>

#include "lib/directory/directory.h"
#include "lib/localconfig/localconfig.h"
#include "lib/service/service.h"
#include "wizard/answers.h"

#define SETUP_STATE_PATH PREFIX "/data/setup.state"

typedef enum { STEP_BEGINS, STEP_TELLS, STEP_DONE, STEP_DONE_BEFORE, STEP_FAILED } step_event;
/* NUMBER of TOTAL; TEXT: the step's title, or what it tells. */
typedef void (*setup_show_fn)(step_event event, size_t number, size_t total, const char *text);

typedef struct {
    const answers *answers;
    localconfig *lc;
    directory *dir;             /* setup_directory() opens it */
    service_bus *bus;           /* setup_bus() opens it */
    setup_show_fn show;
    size_t number, total;       /* of the running step */
} setup;

typedef struct {
    const char *name;           /* recorded in the state file: never changes */
    const char *title;
    bool (*applies)(const answers *a);              /* NULL: on every host */
    bool (*is_done)(setup *s);                      /* NULL: only running it tells */
    bool (*run)(setup *s, GError **error);
    bool transient;             /* a reboot undoes it: done again in every run */
} setup_step;

const setup_step *setup_steps(size_t *ret_n);       /* steps.c */

typedef enum { SETUP_COMPLETE, SETUP_NOTHING_TO_DO, SETUP_FAILED, SETUP_OTHER_ANSWERS } setup_result;
/* Runs what STATE_PATH does not have as done yet (engine.c). */
setup_result setup_run(setup *s, const char *state_path, const setup_step *steps, size_t n, GError **error);

/* For steps. */
void setup_tell(setup *s, const char *text);        /* a word of progress */
directory *setup_directory(setup *s, GError **error);
service_bus *setup_bus(setup *s, GError **error);

#define SETUP_ERROR (setup_error_quark())
GQuark setup_error_quark(void);
enum { SETUP_ERROR_FAILED };

/* The steps, by file: step-<concept>.c */
bool host_name_is_set(setup *s);
bool host_name_set(setup *s, GError **error);
bool time_zone_given(const answers *a);
bool time_zone_is_set(setup *s);
bool time_zone_set(setup *s, GError **error);
bool on_image(const answers *a);
bool console_applies(const answers *a);
bool console_is_done(setup *s);
bool console_set(setup *s, GError **error);
bool facts_keep(setup *s, GError **error);
bool secrets_are_there(setup *s);
bool secrets_make(setup *s, GError **error);
bool authority_is_there(setup *s);
bool authority_make(setup *s, GError **error);
bool certificate_is_good(setup *s);
bool certificate_make(setup *s, GError **error);
bool directory_is_here(const answers *a);
bool directory_make(setup *s, GError **error);
bool directory_start(setup *s, GError **error);
bool directory_reach(setup *s, GError **error);
bool server_register(setup *s, GError **error);
bool domain_given(const answers *a);
bool domain_make(setup *s, GError **error);
bool admin_given(const answers *a);
bool admin_make(setup *s, GError **error);
bool system_accounts_make(setup *s, GError **error);
bool mailbox_here(const answers *a);
bool accounts_adopt(setup *s, GError **error);
bool services_enable(setup *s, GError **error);
bool configd_start(setup *s, GError **error);
bool services_start(setup *s, GError **error);

#endif
