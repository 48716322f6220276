/* inotify on the folder of localconfig.xml (the file is replaced, so the file
 * itself cannot be watched) and on conf/override and its folders. */
#include "configd/localwatch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#define WRITTEN (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR)

struct localwatch {
    sd_event *event;
    const layout *l;
    char *name;                       /* of localconfig's file */
    sd_event_source *conf;
    GPtrArray *override;              /* sd_event_source: conf/override and its folders */
    void (*localconfig_changed)(void *data);
    void (*templates_changed)(void *data);
    void *data;
};

static void source_free(void *s)
{
    sd_event_source_disable_unref(s);
}

static void watch_overrides(localwatch *w);

static int on_override(sd_event_source *s, const struct inotify_event *e, void *data)
{
    localwatch *w = data;
    if (e->mask & IN_ISDIR)
        watch_overrides(w);
    w->templates_changed(w->data);
    return 0;
}

static void watch_folder(localwatch *w, const char *path)
{
    sd_event_source *s = NULL;
    if (sd_event_add_inotify(w->event, &s, path, WRITTEN, on_override, w) >= 0)
        g_ptr_array_add(w->override, s);
}

/* The folders there are now. One that is not there shows up in its parent. */
static void watch_overrides(localwatch *w)
{
    g_autoptr(GPtrArray) old = w->override;     /* may hold the source being dispatched */
    w->override = g_ptr_array_new_with_free_func(source_free);
    watch_folder(w, w->l->override);
    g_autoptr(GDir) dir = g_dir_open(w->l->override, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(w->l->override, name, NULL);
        watch_folder(w, path);
    }
}

static int on_conf(sd_event_source *s, const struct inotify_event *e, void *data)
{
    localwatch *w = data;
    if (!e->len)
        return 0;
    if (g_str_equal(e->name, w->name) && (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE)))
        w->localconfig_changed(w->data);
    if (g_str_equal(e->name, "override")) {
        watch_overrides(w);
        w->templates_changed(w->data);
    }
    return 0;
}

localwatch *localwatch_new(sd_event *event, const layout *l, const char *localconfig_path,
                           void (*localconfig_changed)(void *data), void (*templates_changed)(void *data),
                           void *data, GError **error)
{
    localwatch *w = g_new0(localwatch, 1);
    g_autofree char *folder = g_path_get_dirname(localconfig_path);
    w->event = sd_event_ref(event);
    w->l = l;
    w->name = g_path_get_basename(localconfig_path);
    w->override = g_ptr_array_new_with_free_func(source_free);
    w->localconfig_changed = localconfig_changed;
    w->templates_changed = templates_changed;
    w->data = data;
    int rc = sd_event_add_inotify(event, &w->conf, folder, WRITTEN, on_conf, w);
    if (rc < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-rc), "cannot watch %s: %s", folder, g_strerror(-rc));
        localwatch_free(w);
        return NULL;
    }
    watch_overrides(w);
    return w;
}

void localwatch_free(localwatch *w)
{
    if (!w)
        return;
    sd_event_source_disable_unref(w->conf);
    g_ptr_array_unref(w->override);
    sd_event_unref(w->event);
    g_free(w->name);
    g_free(w);
}
