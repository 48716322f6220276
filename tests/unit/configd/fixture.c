#include "tests/unit/configd/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char actions[] =
    "[alpha]\n"
    "services=one;two\n"
    "unit=alpha.service\n"
    "action=reload\n"
    "restart_on=VAR:restart*\n"
    "validate.1=/bin/sh -c \"! grep -q bad %d/alpha.conf || { echo no bad please >&2; exit 3; }\"\n"
    "apply_timeout=1\n"
    "[alpha files]\n"
    "alpha.conf=0640 root:root\n"
    "sub/list=0644 root:root shared/list.in\n"
    "[alpha links]\n"
    "conf/alpha.conf=alpha.conf\n"
    "etc/deep/alpha=.\n"
    "[beta]\n"
    "unit=beta.service\n"
    "[beta files]\n"
    "beta.conf=0600 root:root\n";

GQuark service_error_quark(void)      /* lib/service is not linked */
{
    return g_quark_from_static_string("fixture-service-error-quark");
}

void fixture_write(fixture *f, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(f->root, path, NULL), *parent = g_path_get_dirname(full);
    assert_int_equal(g_mkdir_with_parents(parent, 0755), 0);
    assert_true(g_file_set_contents(full, text, -1, NULL));
}

char *fixture_read(fixture *f, const char *path)
{
    g_autofree char *full = g_build_filename(f->root, path, NULL);
    char *text = NULL;
    (void) g_file_get_contents(full, &text, NULL, NULL);   /* NULL: none */
    return text;
}

void fixture_init(fixture *f)
{
    f->root = g_dir_make_tmp("configd-XXXXXX", NULL);
    assert_non_null(f->root);
    g_autofree char *templates = g_build_filename(f->root, "templates", NULL), *run = g_build_filename(f->root, "run", NULL);
    f->l = layout_new(f->root, templates, run);
    f->log = g_string_new(NULL);
    f->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    f->restarts = g_hash_table_new(g_str_hash, g_str_equal);
    fixture_write(f, "templates/actions", actions);
    fixture_write(f, "templates/alpha/alpha.conf.in", "size=%%size%%\n%%ifset VAR:restartMe%%\nr=%%restartMe%%\n%%fi%%\n");
    fixture_write(f, "templates/shared/list.in", "%%list FILE:shared/words , %%\n");
    fixture_write(f, "templates/shared/words", "fixed\n\n%%word|none%%\n");
    fixture_write(f, "templates/beta/beta.conf.in", "%%conf_folder%% %%beta%%\n");
}

void fixture_done(fixture *f)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->root);
    assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    layout_free(f->l);
    g_string_free(f->log, TRUE);
    g_hash_table_unref(f->states);
    g_hash_table_unref(f->restarts);
    g_free(f->fails);
    g_free(f->root);
}

static char *unit_state(void *data, const char *unit, GError **error)
{
    fixture *f = data;
    const char *state = g_hash_table_lookup(f->states, unit);
    return g_strdup(state ? state : "active");
}

static bool unit_stopping(void *data)
{
    return ((fixture *) data)->stopping;
}

static bool unit_act(void *data, const char *unit, service_action action, int timeout_ms, GError **error)
{
    fixture *f = data;
    g_autofree char *text = fixture_read(f, "conf/alpha/alpha.conf");
    bool fails = f->fails && text && strstr(text, f->fails) && g_str_equal(unit, "alpha.service");
    g_string_append_printf(f->log, "%s %s; ", action == SERVICE_RESTART ? "restart" : "reload", unit);
    if (f->is_stopped && g_str_equal(unit, f->is_stopped)) {
        g_hash_table_replace(f->states, g_strdup(unit), g_strdup("inactive"));
        g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_CANCELED, "%s: another job took its place", unit);
        return false;
    }
    g_hash_table_replace(f->states, g_strdup(unit), g_strdup(fails ? "failed" : "active"));
    if (fails)
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "%s: exit 1", unit);
    return !fails;
}

static bool unit_restarts(void *data, const char *unit, unsigned *ret, GError **error)
{
    fixture *f = data;
    *ret = GPOINTER_TO_UINT(g_hash_table_lookup(f->restarts, unit));
    return true;
}

static char **unit_enabled(void *data, GError **error)
{
    return g_new0(char *, 1);
}

static bool unit_enable(void *data, const char *const *names, GError **error)
{
    return true;
}

static bool unit_converge(void *data, GError **error)
{
    return true;
}

static void unit_done(void *data)
{
}

unit_driver fixture_units(fixture *f)
{
    return (unit_driver) { unit_state, unit_restarts, unit_stopping, unit_act, unit_enabled, unit_enable, unit_converge, unit_done, f };
}

engine *fixture_engine(fixture *f)
{
    g_autoptr(GError) error = NULL;
    engine *e = engine_new(f->l, fixture_units(f), &error);
    if (!e)
        fail_msg("%s", error->message);
    engine_store(e)->keep_owner = true;
    return e;
}

facts *fixture_facts(const char *first, ...)
{
    facts *f = facts_new();
    va_list args;
    facts_set_one(f, TEMPLATE_SERVICE, "one", "TRUE");
    va_start(args, first);
    for (const char *s = first; s; s = va_arg(args, const char *)) {
        g_auto(GStrv) parts = g_strsplit(s, "=", 2);
        facts_set_one(f, TEMPLATE_VAR, parts[0], parts[1]);
    }
    va_end(args);
    return f;
}
