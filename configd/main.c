/* zmconfigd: renders the host's configuration from the directory and localconfig
 * and keeps services on it (design §4). Set-up only; the parts are manager.c
 * (who tells whom), engine.c and apply.c (a run), watch.c (the directory). */
#include <glib.h>
#include <malloc.h>
#include <stdio.h>
#include <sysexits.h>

#include "configd/manager.h"
#include "configd/offline.h"
#include "lib/daemon/daemon.h"
#include "lib/localconfig/localconfig.h"

static gboolean arg_once;
static char *arg_render, *arg_server, *arg_render_only, *arg_facts, *arg_prefix, *arg_templates, *arg_run;
static char **arg_set;
static const GOptionEntry options[] = {
    { "once", 0, 0, G_OPTION_ARG_NONE, &arg_once, "Render, validate and apply once, then exit", NULL },
    { "render", 0, 0, G_OPTION_ARG_STRING, &arg_render, "Only print the files of SERVICE as they would be", "SERVICE" },
    { "server", 0, 0, G_OPTION_ARG_STRING, &arg_server, "--render: of this server instead of the host", "NAME" },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arg_set, "--render: as if KEY had VALUE", "KEY=VALUE" },
    { "render-only", 0, 0, G_OPTION_ARG_FILENAME, &arg_render_only, "Only render into DIR, from --facts", "DIR" },
    { "facts", 0, 0, G_OPTION_ARG_FILENAME, &arg_facts, "Values for --render and --render-only", "FILE" },
    { "templates", 0, 0, G_OPTION_ARG_FILENAME, &arg_templates, "Folder of templates and actions", "DIR" },
    { "prefix", 0, 0, G_OPTION_ARG_FILENAME, &arg_prefix, "In place of " PREFIX, "DIR" },
    { "run", 0, 0, G_OPTION_ARG_FILENAME, &arg_run, "In place of /run/zimbra/configd", "DIR" },
    { NULL },
};

static bool arguments_fit(void)
{
    bool modes = !!arg_once + !!arg_render + !!arg_render_only <= 1;
    if (modes && (!arg_render_only || arg_facts) && (!arg_facts || arg_render || arg_render_only) && (arg_render || (!arg_server && !arg_set)))
        return true;
    fprintf(stderr, "zmconfigd: --once, --render and --render-only exclude each other, --render-only needs --facts; see --help\n");
    return false;
}

static int serve(const layout *l, engine *e, const char *localconfig_path)
{
    g_autoptr(GError) error = NULL;
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    manager *m = manager_new(event, l, e, localconfig_path, &error);
    int r = m ? daemon_loop(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    manager_free(m);
    sd_event_unref(event);
    return r;
}

static int render(const layout *l)
{
    g_autoptr(GError) error = NULL;
    const offline_question q = { .name = arg_render, .server = arg_server, .settings = arg_set, .facts_file = arg_facts };
    if (arg_render ? offline_show(l, &q, &error) : offline_render(l, arg_render_only, arg_facts, &error))
        return EX_OK;
    fprintf(stderr, "zmconfigd: %s\n", error->message);
    return EX_CONFIG;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmconfigd", "- render configuration from the directory", options, argc, argv) || !arguments_fit())
        return EX_USAGE;
    g_autoptr(layout) l = layout_new(arg_prefix, arg_templates, arg_run);
    if (arg_render || arg_render_only)
        return render(l);
    (void) mallopt(M_ARENA_MAX, 1);   /* three threads, one of which allocates at a time: one arena */
    g_autoptr(localconfig) lc = localconfig_load(NULL, &error);
    g_autoptr(engine) e = lc ? engine_new(l, units_systemd(), &error) : NULL;
    if (!e)
        return daemon_failed(EX_CONFIG, error);
    return arg_once ? offline_once(e, localconfig_path(lc)) : serve(l, e, localconfig_path(lc));
}
