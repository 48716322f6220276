/* From whoever notices something to the journal and to zmalertd. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "lib/alert/private.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static void add_field(GArray *iov, const char *prefix, const char *name, const char *value)
{
    char *s = g_strdup_printf("%s%s=%s", prefix, name, value);
    struct iovec v = { .iov_base = s, .iov_len = strlen(s) };
    g_array_append_val(iov, v);
}

static void add_alert_field(const char *name, const char *value, void *data)
{
    add_field(data, "ALERT_", name, value);
}

void alert_record(const alert *a)
{
    g_autoptr(GArray) iov = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    g_autofree char *subject = alert_subject(a), *body = alert_body(a);
    char digit[2] = { (char) ('0' + alert_severity(a)), 0 };
    add_field(iov, "", "MESSAGE", *body ? body : subject);
    add_field(iov, "", "PRIORITY", digit);
    add_field(iov, "", "SYSLOG_IDENTIFIER", g_get_prgname() ? g_get_prgname() : program_invocation_short_name);
    add_field(iov, "", "ALERT", a->id);
    add_field(iov, "ALERT_", "UUID", a->uuid);
    add_field(iov, "ALERT_", "SUBJECT", subject);
    if (a->def)
        add_field(iov, "", "MESSAGE_ID", a->def->message_id);
    alert_each_field(a, add_alert_field, iov);
    (void) sd_journal_sendv((struct iovec *) (void *) iov->data, (int) iov->len);   /* no better place to tell it */
    for (guint i = 0; i < iov->len; i++)
        g_free(g_array_index(iov, struct iovec, i).iov_base);
}

void alert_send(const alert *a)
{
    alert_record(a);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = ALERT_RAISE_SOCKET };
    g_autofree char *text = alert_format(a);
    /* Away or busy: it reads the record. */
    (void) !sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *) &to, sizeof to);
    close(fd);
}

void alert_raise(const char *id, ...)
{
    g_autoptr(alert) a = alert_new(id);
    va_list ap;
    va_start(ap, id);
    for (const char *name; (name = va_arg(ap, const char *)) != NULL; ) {
        int r = alert_set(a, name, va_arg(ap, const char *));
        g_assert(r != -EINVAL);     /* too many: the first ones count */
    }
    va_end(ap);
    alert_send(a);
}
