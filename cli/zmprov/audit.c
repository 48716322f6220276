/* One journal record a change: AUDIT=change, CMD, OBJECT, OBJECT_ID, BY, ATTRS;
 * the message is the line of the guide's audit.log. Sent to journald directly,
 * since a command's stderr belongs to its user; without a journal (a chroot, a
 * test) there is nobody to tell. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "cli/zmprov/audit.h"

#include <pwd.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "lib/journal/journal.h"
#include "lib/schema/schema.h"

#define VALUE_MAX 256
#define ATTRS_MAX 4096
#define MASK      "********"

static bool is_secret(const char *attr)
{
    const attr_def *def = schema_attr(*attr == '+' || *attr == '-' ? attr + 1 : attr);
    return !def || (def->flags & ATTR_SECRET);
}

static char *attrs_text(const attr_change *attrs, size_t n)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < n && s->len < ATTRS_MAX; i++) {
        g_autofree char *value = journal_escape(attrs[i].value, strlen(attrs[i].value), VALUE_MAX);
        g_autofree char *attr = journal_escape(attrs[i].attr, strlen(attrs[i].attr), VALUE_MAX);
        g_string_append_printf(s, " %s=%s;", attr, is_secret(attrs[i].attr) ? MASK : value);
    }
    return g_string_free(s, FALSE);
}

/* The login that ordered it: -a, else the one behind sudo or su, else our own. */
static const char *actor(const session *s)
{
    const char *sudo = g_getenv("SUDO_USER");
    const struct passwd *pw = getpwuid(getuid());
    return s->account ? s->account : sudo ? sudo : pw ? pw->pw_name : "unknown";
}

void audit_change(const session *s, const command *c, const char *object, const char *id, const attr_change *attrs,
                  size_t n)
{
    g_autofree char *name = journal_escape(object, strlen(object), VALUE_MAX);
    g_autofree char *by = journal_escape(actor(s), strlen(actor(s)), VALUE_MAX);
    g_autofree char *list = attrs_text(attrs, n);
    g_autofree char *cmd = g_strdup(c->name);
    cmd[0] = g_ascii_toupper(cmd[0]);
    /* A record that journald does not take has no better place to go. */
    (void) sd_journal_send("MESSAGE=cmd=%s; by=%s; name=%s;%s", cmd, by, name, list, "PRIORITY=%d", LOG_INFO,
                           "SYSLOG_IDENTIFIER=zmprov", "AUDIT=change", "CMD=%s", cmd, "OBJECT=%s", name,
                           "OBJECT_ID=%s", id ? id : "", "BY=%s", by, "ATTRS=%s", list, NULL);
}
