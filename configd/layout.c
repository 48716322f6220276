/* The places zmconfigd reads and writes. */
#include "configd/layout.h"

#include <errno.h>

layout *layout_new(const char *prefix, const char *templates, const char *run)
{
    layout *l = g_new0(layout, 1);
    l->prefix = g_strdup(prefix ? prefix : PREFIX);
    l->conf = g_build_filename(l->prefix, "conf", NULL);
    l->templates = templates ? g_strdup(templates) : g_build_filename(l->prefix, "lib/templates", NULL);
    l->override = g_build_filename(l->conf, "override", NULL);
    l->state = g_build_filename(l->conf, "configd.d", NULL);
    l->run = g_strdup(run ? run : "/run/zimbra/configd");
    return l;
}

void layout_free(layout *l)
{
    if (!l)
        return;
    g_free(l->prefix);
    g_free(l->conf);
    g_free(l->templates);
    g_free(l->override);
    g_free(l->state);
    g_free(l->run);
    g_free(l);
}

gboolean layout_make_folders(const layout *l, GError **error)
{
    const struct { const char *path; int mode; } folders[] = {
        { l->conf, 0755 }, { l->state, 0700 }, { l->run, 0755 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
        if (g_mkdir_with_parents(folders[i].path, folders[i].mode) < 0) {
            g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", folders[i].path, g_strerror(errno));
            return FALSE;
        }
    return TRUE;
}
