/* zmconfigd without its loop: --once, --render and --render-only. */
#ifndef MAILSTEAD_CONFIGD_OFFLINE_H
#define MAILSTEAD_CONFIGD_OFFLINE_H

#include "configd/engine.h"

/* Exit status of one whole run. */
int offline_once(engine *e, const char *localconfig_path);

/* Renders every folder's files into DIR/<folder>/ from FACTS_FILE (facts.h, text
 * form) over the built-in defaults of attributes and localconfig keys. Folders:
 * those of the file's SERVICE lines, all when it has none. */
bool offline_render(const layout *l, const char *dir, const char *facts_file, GError **error);

typedef struct {
    const char *name;          /* folder or service */
    const char *server;        /* NULL: this host */
    char **settings;           /* "key=value"; NULL: none */
    const char *facts_file;    /* in place of the directory; NULL: none */
} offline_question;

/* Prints the files of Q->name as they would be. Values are the directory's; while
 * it is away those of this host's last run, else the built-in defaults, which is
 * said on standard error. */
bool offline_show(const layout *l, const offline_question *q, GError **error);

#endif
