#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agents/auth/ace.h"

#define RIGHT "sendToDistList"

static void reads_grants(void **state)
{
    static const struct { const char *text; int type; bool deny; const char *grantee; } cases[] = {
        { "id-1 usr sendToDistList", ACE_USER, false, "id-1" },
        { "  id-1\tusr  sendtodistlist ", ACE_USER, false, "id-1" },
        { "id-2 grp -sendToDistList", ACE_GROUP, true, "id-2" },
        { "id-3 dom +sendToDistList", ACE_DOMAIN, false, "id-3" },
        { "x all sendToDistList", ACE_ALL, false, "x" },
        { "x pub sendToDistList", ACE_PUBLIC, false, "x" },
        { "a@b.test gst sendToDistList", ACE_GUEST, false, "a@b.test" },
        { "a@b.test:secret gst sendToDistList", ACE_GUEST, false, "a@b.test" },
        { "\"a b@b.test:se cret\" key sendToDistList", ACE_GUEST, false, "a b@b.test" },
        { "id:1 usr sendToDistList", ACE_USER, false, "id:1" },
        { "id-1 usr viewDistList", -1, false, NULL },
        { "id-1 usr sendToDistListX", -1, false, NULL },
        { "id-1 rob sendToDistList", -1, false, NULL },
        { "id-1 usr", -1, false, NULL }, { "id-1", -1, false, NULL }, { "", -1, false, NULL },
        { "\"id-1 usr sendToDistList", -1, false, NULL }, { "id-1 usr -", -1, false, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ace) a = ace_parse(cases[i].text, RIGHT);
        if (cases[i].type < 0) {
            assert_null(a);
            continue;
        }
        assert_non_null(a);
        assert_int_equal(a->type, cases[i].type);
        assert_int_equal(a->deny, cases[i].deny);
        assert_string_equal(a->grantee, cases[i].grantee);
    }
}

/* DATA: the grantees that match. */
static bool is_among(const ace *a, void *data)
{
    return strstr(data, a->grantee) != NULL;
}

static void weighs_grants(void **state)
{
    static const struct { const char *values[4]; const char *matching; ace_verdict verdict; } cases[] = {
        { { NULL }, "u", ACE_NO_GRANT },
        { { "u usr viewDistList" }, "u", ACE_NO_GRANT },
        { { "u usr sendToDistList" }, "u", ACE_GRANTED },
        { { "u usr sendToDistList" }, "x", ACE_NOT_GRANTED },
        { { "d dom sendToDistList", "u usr -sendToDistList" }, "d u", ACE_DENIED },
        { { "d dom -sendToDistList", "u usr sendToDistList" }, "d u", ACE_GRANTED },
        { { "g grp sendToDistList", "h grp -sendToDistList" }, "g h", ACE_DENIED },
        { { "h grp -sendToDistList", "g grp sendToDistList" }, "g h", ACE_DENIED },
        { { "p pub sendToDistList", "a all -sendToDistList" }, "p a", ACE_DENIED },
        { { "p pub sendToDistList", "a all -sendToDistList" }, "p", ACE_GRANTED },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(ace_evaluate(cases[i].values, RIGHT, is_among, (void *) (uintptr_t) cases[i].matching),
                         cases[i].verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads_grants), cmocka_unit_test(weighs_grants) };
    return cmocka_run_group_tests_name("zmauthd-ace", tests, NULL, NULL);
}
