/* Numbers that others measured: zmstatd's sample, and before it exists what
 * zmloggerd left for it. Lines "GROUP:COLUMN VALUE" and "timestamp SECONDS". */
#include "agents/snmp/facts.h"

#include <string.h>

enum { FILE_MAX = 1 << 20 };

static bool read_lines(record *r, const char *path)
{
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, NULL) || len > FILE_MAX)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        char *blank = strrchr(lines[i], ' ');
        if (!blank)
            continue;
        *blank = '\0';
        record_set(r, g_str_equal(lines[i], "timestamp") ? "SAMPLE_TIME" : lines[i], blank + 1);
    }
    return true;
}

void samples_collect(facts *f, const char *folder)
{
    g_autofree char *sample = g_build_filename(folder, "sample", NULL), *mta = g_build_filename(folder, "import/mta", NULL);
    g_autoptr(record) r = record_new();
    /* The logger's own file is the newer one. */
    bool any = read_lines(r, sample);
    any = read_lines(r, mta) || any;
    if (!any)
        return;
    facts_add(f, GROUP_TRAFFIC, record_ref(r));
    facts_add(f, GROUP_STORE, record_ref(r));
}
