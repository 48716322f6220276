/* The status line as text: see status.h. At most 79 columns where names allow it. */
#include "agents/console/status.h"

/* agetty takes "\x" and "@" for itself; what is not printable ASCII could move the cursor. */
static void add_clean(GString *text, const char *word)
{
    for (; *word; word++)
        g_string_append_c(text, g_ascii_isprint(*word) && *word != '\\' && *word != '@' ? *word : '?');
}

static void add_list(GString *text, const char *before, char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        g_string_append(text, i ? ", " : before);
        add_clean(text, words[i]);
    }
}

static void add_health(GString *text, const console_status *s)
{
    if (s->unknown) {
        g_string_append(text, "Services: unknown, ");
        add_clean(text, s->unknown);
    } else if (!s->failed[0] && !s->down[0]) {
        g_string_append_printf(text, "All %u services run.", s->services);
    } else {
        guint off = g_strv_length(s->failed) + g_strv_length(s->down);
        g_string_append_printf(text, "%u of %u services run", s->services - off, s->services);
        add_list(text, "; failed: ", s->failed);
        add_list(text, "; not running: ", s->down);
        g_string_append(text, ". See: zmcontrol status");
    }
}

char *status_text(const console_status *s)
{
    g_autoptr(GString) text = g_string_new("Mailstead  ");
    add_clean(text, s->host);
    if (s->addresses[0])
        add_list(text, "  ", s->addresses);
    else
        g_string_append(text, "  no address yet");
    g_string_append_c(text, '\n');
    add_health(text, s);
    g_string_append(text, "\n\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}
