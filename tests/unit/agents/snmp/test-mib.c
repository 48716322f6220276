/* The tables of agents/snmp/mib.c against the MIB modules, and the varbinds of a
 * notification. The modules themselves must be clean: smilint says nothing. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/parse.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include "agents/snmp/mib.h"
#include "agents/snmp/varbind.h"
#include "lib/alert/alert.h"

#define BASE_MODULES "/usr/lib/erlang/lib/snmp-*/mibs"

static char *base_folder(void)
{
    glob_t g;
    assert_int_equal(glob(BASE_MODULES, 0, NULL, &g), 0);      /* package erlang-snmp */
    char *folder = g_strdup(g.gl_pathv[0]);
    globfree(&g);
    return folder;
}

static void modules_are_clean(void **state)
{
    g_autofree char *base = base_folder();
    g_autofree char *command = g_strdup_printf("sh -c 'SMIPATH=" MIB_DIR ":%s smilint -l 6 " MIB_DIR "/*-MIB 2>&1'", base);
    g_autofree char *said = NULL;
    assert_true(g_spawn_command_line_sync(command, &said, NULL, NULL, NULL));
    assert_string_equal(said, "");
}

static struct tree *node_of(const char *name)
{
    oid path[MAX_OID_LEN];
    size_t n = MAX_OID_LEN;
    if (!get_node(name, path, &n))
        fail_msg("%s is in no module", name);
    return get_tree(path, n, get_tree_head());
}

static void assert_at(const char *name, const guint32 *base, size_t n, guint32 id)
{
    oid path[MAX_OID_LEN];
    size_t len = MAX_OID_LEN;
    if (!get_node(name, path, &len))
        fail_msg("%s is in no module", name);
    bool same = len == n + 1 && path[n] == id;
    for (size_t i = 0; same && i < n; i++)
        same = path[i] == base[i];
    if (!same)
        fail_msg("%s has another number in the module", name);
}

static bool type_fits(const object *o, const struct tree *node)
{
    switch (o->type) {
    case AS_INTEGER: return node->type == TYPE_INTEGER || node->type == TYPE_INTEGER32;
    case AS_GAUGE: return node->type == TYPE_GAUGE;
    case AS_COUNTER: return node->type == TYPE_COUNTER;
    case AS_COUNTER64: return node->type == TYPE_COUNTER64;
    case AS_DATE: return node->type == TYPE_OCTETSTR && g_strcmp0(get_tc_descriptor(node->tc_index), "DateAndTime") == 0;
    case AS_TEXT: return node->type == TYPE_OCTETSTR && g_strcmp0(get_tc_descriptor(node->tc_index), "ZmText") == 0;
    case AS_STRING: return node->type == TYPE_OCTETSTR;
    default: return false;
    }
}

static void objects_are_those_of_the_module(void **state)
{
    size_t compared = 0;
    for (int i = 0; i <= GROUP_ALERT; i++) {
        const group *g = mib_group((group_id) i);
        for (guint n = 0; n < g->n; n++, compared++) {
            const object *o = &g->objects[n];
            assert_at(o->name, g->base, g->base_len, o->id);
            if (!type_fits(o, node_of(o->name)))
                fail_msg("%s has another type in the module", o->name);
        }
    }
    assert_true(compared > 70);
}

/* Every accessible object of the module is served. */
static size_t count_missing(const struct tree *node)
{
    size_t missing = 0;
    for (const struct tree *c = node->child_list; c; c = c->next_peer) {
        bool served = c->access != MIB_ACCESS_READONLY;
        for (int i = 0; !served && i <= GROUP_ALERT; i++)
            served = mib_object((group_id) i, c->label) != NULL;
        if (!served)
            print_message("%s is not served\n", c->label);
        missing += !served + count_missing(c);
    }
    return missing;
}

static void all_objects_are_served(void **state)
{
    assert_int_equal(count_missing(node_of("zmObjects")), 0);
}

static void notifications_are_those_of_the_module(void **state)
{
    static const guint32 base[] = { OID_MODULE, 0 };
    size_t n;
    const notification *list = mib_notifications(&n);
    assert_true(n >= 10);
    for (size_t i = 0; i < n; i++) {
        assert_at(list[i].name, base, G_N_ELEMENTS(base), list[i].id);
        const struct varbind_list *v = node_of(list[i].name)->varbinds;
        for (size_t c = 0; mib_common_objects[c]; c++, v = v->next)
            assert_string_equal(v ? v->vblabel : "none", mib_common_objects[c]);
        for (size_t c = 0; list[i].objects[c]; c++, v = v->next)
            assert_string_equal(v ? v->vblabel : "none", list[i].objects[c]);
        assert_null(v);
    }
}

static void every_alert_has_its_notification(void **state)
{
    size_t n;
    const alert_def *table = alert_table(&n);
    for (size_t i = 0; i < n; i++)
        if (table[i].trap)
            assert_string_equal(mib_notification(table[i].trap)->name, table[i].trap);
}

static void notification_has_its_objects(void **state)
{
    g_autoptr(record) r = record_new();
    record_set_number(r, "NUMBER", 7);
    const char *const texts[][2] = { { "ID", "disk-warning" }, { "SEVERITY", "5" }, { "TIME", "1" }, { "HOST", "h" }, { "SUBJECT", "s" },
                                     { "VOLUME", "/" }, { "DEVICE", "d" }, { "PERCENT", "90" }, { "LEVEL", "1" } };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        record_set(r, texts[i][0], texts[i][1]);
    netsnmp_variable_list *list = varbind_notification(mib_notification("zmDiskTrap"), r);
    static const char *const names[] = { "zmAlertName", "zmAlertSeverity", "zmAlertTime", "zmAlertHost", "zmAlertSubject",
                                         "zmAlertVolume", "zmAlertDevice", "zmAlertPercent", "zmAlertLevel" };
    const netsnmp_variable_list *v = list->next_variable;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++, v = v->next_variable) {
        assert_non_null(v);
        assert_string_equal(get_tree(v->name, v->name_length - 1, get_tree_head())->label, names[i]);
        assert_int_equal(v->name[v->name_length - 1], 7);
    }
    assert_null(v);
    snmp_free_varbind(list);
}

static int read_modules(void **state)
{
    g_autofree char *base = base_folder();
    g_setenv("MIBDIRS", "/nonexistent", 1);
    g_setenv("MIBS", "", 1);
    netsnmp_init_mib();
    add_mibdir(base);
    add_mibdir(MIB_DIR);
    netsnmp_read_module("MAILSTEAD-MIB");
    return 0;
}

static int drop_modules(void **state)
{
    shutdown_mib();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_are_clean),
        cmocka_unit_test(objects_are_those_of_the_module),
        cmocka_unit_test(all_objects_are_served),
        cmocka_unit_test(notifications_are_those_of_the_module),
        cmocka_unit_test(every_alert_has_its_notification),
        cmocka_unit_test(notification_has_its_objects),
    };
    return cmocka_run_group_tests_name("snmp-mib", tests, read_modules, drop_modules);
}
