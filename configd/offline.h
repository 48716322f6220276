/* zmconfigd without its loop: --once and --render-only. */
#ifndef MAILSTEAD_CONFIGD_OFFLINE_H
#define MAILSTEAD_CONFIGD_OFFLINE_H

#include "configd/engine.h"

/* Exit status of one whole run. */
int offline_once(engine *e, const char *localconfig_path);

/* Renders every folder's files into DIR/<folder>/ from FACTS_FILE (facts.h, text
 * form) over the built-in defaults of attributes and localconfig keys. Folders:
 * those of the file's SERVICE lines, all when it has none. */
bool offline_render(const layout *l, const char *dir, const char *facts_file, GError **error);

#endif
