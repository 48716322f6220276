/* Where zmconfigd's files are: one struct, so that a test or --render-only can
 * put them elsewhere. */
#ifndef MAILSTEAD_CONFIGD_LAYOUT_H
#define MAILSTEAD_CONFIGD_LAYOUT_H

#include <glib.h>

typedef struct {
    char *prefix;      /* /opt/zimbra: base of the guide's links */
    char *conf;        /* PREFIX/conf: links and generations */
    char *templates;   /* PREFIX/lib/templates */
    char *override;    /* CONF/override */
    char *state;       /* CONF/configd.d: history, intent, holds */
    char *run;         /* /run/zimbra/configd: sockets, scratch */
} layout;

/* NULL arguments: the installed places below PREFIX. */
layout *layout_new(const char *prefix, const char *templates, const char *run);
void layout_free(layout *l);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(layout, layout_free)

/* Creates the folders zmconfigd writes to. */
gboolean layout_make_folders(const layout *l, GError **error);

#endif
