/* Making the shard's statistics page: see numbers.h. */
#include "agents/store/shard/numbers.h"

#include <glib.h>

#include "agents/store/shard/imap/imap.h"
#include "agents/store/shard/pop3/pop3.h"
#include "lib/journal/journal.h"

static const statpage_def fixed[NUMBER_FIXED] = {
    [NUMBER_APPENDS] = { "appends", STATPAGE_COUNTER }, [NUMBER_APPENDED_BYTES] = { "appended_bytes", STATPAGE_COUNTER },
    [NUMBER_APPENDS_DONE] = { "appends_done", STATPAGE_COUNTER }, [NUMBER_APPEND_US] = { "append_us", STATPAGE_COUNTER },
    [NUMBER_CHANGES] = { "changes", STATPAGE_COUNTER }, [NUMBER_FLUSHES] = { "flushes", STATPAGE_COUNTER },
    [NUMBER_LOGGED_BYTES] = { "logged_bytes", STATPAGE_COUNTER }, [NUMBER_CHECKPOINTS] = { "checkpoints", STATPAGE_COUNTER },
    [NUMBER_UNAPPLIED_BYTES] = { "unapplied_bytes", STATPAGE_GAUGE }, [NUMBER_MAILBOXES] = { "mailboxes", STATPAGE_GAUGE },
    [NUMBER_MAILBOXES_LOADED] = { "mailboxes_loaded", STATPAGE_GAUGE },
    [NUMBER_IMAP_COMMANDS] = { "imap_commands", STATPAGE_COUNTER }, [NUMBER_IMAP_TIMED] = { "imap_timed", STATPAGE_COUNTER },
    [NUMBER_IMAP_US] = { "imap_us", STATPAGE_COUNTER }, [NUMBER_IMAP_SESSIONS] = { "imap_sessions", STATPAGE_GAUGE },
    [NUMBER_POP3_COMMANDS] = { "pop3_commands", STATPAGE_COUNTER }, [NUMBER_POP3_US] = { "pop3_us", STATPAGE_COUNTER },
    [NUMBER_POP3_SESSIONS] = { "pop3_sessions", STATPAGE_GAUGE }, [NUMBER_OPEN_DESCRIPTORS] = { "open_descriptors", STATPAGE_GAUGE },
};

static void add_command(GArray *defs, GStringChunk *names, const char *protocol, const char *command)
{
    static const char *const kinds[] = { "count", "us" };
    g_autofree char *lower = g_ascii_strdown(command, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *name = g_strdup_printf("%s.%s.%s", protocol, lower, kinds[i]);
        statpage_def def = { g_string_chunk_insert(names, name), STATPAGE_COUNTER };
        g_array_append_val(defs, def);
    }
}

shard_numbers *shard_numbers_new(unsigned number)
{
    shard_numbers *n = g_new0(shard_numbers, 1);
    g_autoptr(GArray) defs = g_array_new(FALSE, FALSE, sizeof(statpage_def));
    g_autoptr(GStringChunk) names = g_string_chunk_new(2048);
    const char *command;
    g_array_append_vals(defs, fixed, NUMBER_FIXED);
    n->imap_first = defs->len;
    for (unsigned i = 0; (command = imap_command_name(i)); i++)
        add_command(defs, names, "imap", command);
    n->pop3_first = defs->len;
    for (unsigned i = 0; (command = pop3_command_name(i)); i++)
        add_command(defs, names, "pop3", command);
    g_autofree char *page = g_strdup_printf("zmmailboxd-shard-%u", number);
    int r;
    n->page = statpage_new(NULL, page, (const statpage_def *) (const void *) defs->data, defs->len, &r);
    if (r < 0)
        journal_warning("no statistics of shard %u: its page in %s cannot be made: %s", number, STATPAGE_FOLDER, g_strerror(-r));
    return n;
}

void shard_numbers_free(shard_numbers *n)
{
    if (!n)
        return;
    statpage_free(n->page);
    g_free(n);
}
