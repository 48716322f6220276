/* Records to journald, or one line on stderr where there is no journal. See
 * journal.h for what may stand in a record. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "lib/journal/journal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static const char *log_ident = "mailstead";
static int log_max = LOG_INFO;
static bool to_journal;

static const struct { const char *name; int priority; } levels[] = {
    { "error", LOG_ERR }, { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
    { "info", LOG_INFO }, { "debug", LOG_DEBUG },
};

void journal_open(const char *ident, const char *level)
{
    log_ident = ident;
    to_journal = g_getenv("JOURNAL_STREAM") != NULL || g_getenv("INVOCATION_ID") != NULL;
    for (size_t i = 0; level && i < G_N_ELEMENTS(levels); i++)
        if (g_str_equal(level, levels[i].name))
            log_max = levels[i].priority;
}

static struct iovec field(const char *name, const char *value)
{
    char *s = g_strdup_printf("%s=%s", name, value);
    return (struct iovec) { .iov_base = s, .iov_len = strlen(s) };
}

static void send_fields(int priority, GArray *iov, const char *message)
{
    if (!to_journal) {
        fprintf(stderr, "%s: %s\n", log_ident, message);
    } else {
        char digit[2] = { (char) ('0' + priority), 0 };
        struct iovec base[] = { field("MESSAGE", message), field("PRIORITY", digit), field("SYSLOG_IDENTIFIER", log_ident) };
        g_array_append_vals(iov, base, G_N_ELEMENTS(base));
        /* A record that journald does not take has no better place to go. */
        (void) sd_journal_sendv((struct iovec *) (void *) iov->data, (int) iov->len);
    }
    for (guint i = 0; i < iov->len; i++)
        g_free(g_array_index(iov, struct iovec, i).iov_base);
}

void journal_fields(int priority, const char *message, ...)
{
    if (priority > log_max)
        return;
    g_autoptr(GArray) iov = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    va_list ap;
    va_start(ap, message);
    for (const char *name; (name = va_arg(ap, const char *)) != NULL; ) {
        const char *value = va_arg(ap, const char *);
        struct iovec v = field(name, value ? value : "");
        g_array_append_val(iov, v);
    }
    va_end(ap);
    send_fields(priority, iov, message);
}

void journal_log(int priority, const char *format, ...)
{
    if (priority > log_max)
        return;
    va_list ap;
    va_start(ap, format);
    g_autofree char *message = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_autoptr(GArray) iov = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    send_fields(priority, iov, message);
}

void journal_alert(int priority, const char *alert_id, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *message = g_strdup_vprintf(format, ap);
    va_end(ap);
    journal_fields(priority, message, "ALERT", alert_id, NULL);
}

char *journal_escape(const void *bytes, size_t len, size_t max)
{
    const unsigned char *p = bytes;
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < len; i++) {
        char hex[5];
        g_snprintf(hex, sizeof hex, "\\x%02x", p[i]);
        bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';
        if (s->len + (plain ? 1 : 4) + 3 > max) {
            g_string_append(s, "...");
            break;
        }
        if (plain)
            g_string_append_c(s, (char) p[i]);
        else
            g_string_append(s, hex);
    }
    return g_string_free(s, FALSE);
}
