/* zmstat-chart-config: the charts that suit this host, out of the template of all
 * (Guide app. A): those of its enabled services. */
#include <sysexits.h>

#include "cli/zmstat-chart/charts.h"
#include "lib/service/service.h"

static char *arg_template, *arg_output;
static const GOptionEntry options[] = {
    { "template", 't', 0, G_OPTION_ARG_FILENAME, &arg_template, "Charts to choose from (default " CHARTS_TEMPLATE ")", "FILE" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg_output, "Where to write; - is standard output (default " CHARTS_CONFIG ")", "FILE" },
    { NULL },
};

/* A service of a name that no row of lib/service has is not on this host. */
static void keep_enabled(GPtrArray *charts, const char *const *enabled)
{
    for (guint i = charts->len; i > 0; i--) {
        const chart *c = charts->pdata[i - 1];
        if (*c->service && !g_strv_contains(enabled, c->service))
            g_ptr_array_remove_index(charts, i - 1);
    }
}

static int failed(const GError *error)
{
    g_printerr("zmstat-chart-config: %s\n", error->message);
    return EX_DATAERR;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- choose the charts of this host's services");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        g_printerr("zmstat-chart-config: %s; see --help\n", error ? error->message : "unexpected argument");
        return EX_USAGE;
    }
    g_autoptr(GPtrArray) charts = charts_load(arg_template ? arg_template : CHARTS_TEMPLATE, &error);
    if (!charts)
        return failed(error);
    g_auto(GStrv) enabled = service_get_enabled(&error);
    if (!enabled)
        return failed(error);
    keep_enabled(charts, (const char *const *) enabled);
    g_autofree char *text = charts_format(charts);
    if (g_strcmp0(arg_output, "-") == 0)
        g_print("%s", text);
    else if (!g_file_set_contents_full(arg_output ? arg_output : CHARTS_CONFIG, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        return failed(error);
    return EX_OK;
}
