/* zimbraACE values: any text gives a grant with a type or none. */
#include <glib.h>
#include <stdint.h>
#include "agents/auth/ace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(ace) a = ace_parse(text, "sendToDistList");
    g_assert(!a || (a->type <= ACE_PUBLIC && a->grantee));
    return 0;
}
