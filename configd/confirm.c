/* Confirmation questions. A refused connection is asked again until the
 * deadline (a reloading server may be a moment late); a wrong answer is final. */
#include "configd/confirm.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAUSE_MS 100
#define REPLY_MAX 4096

G_DEFINE_QUARK(mailstead-confirm-error-quark, confirm_error)

/* ---- connecting ---- */

static void set_limit(int fd, gint64 deadline)
{
    gint64 left = MAX(deadline - g_get_monotonic_time(), G_USEC_PER_SEC);
    struct timeval limit = { .tv_sec = left / G_USEC_PER_SEC, .tv_usec = left % G_USEC_PER_SEC };
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);   /* a socket of ours takes both */
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* A socket connected to ADDRESS, or -1 with errno. */
static int connect_once(const struct sockaddr *address, socklen_t len, gint64 deadline)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_limit(fd, deadline);
    if (connect(fd, address, len) == 0)
        return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

static int dial(const struct sockaddr *address, socklen_t len, gint64 deadline, GError **error)
{
    for (;;) {
        int fd = connect_once(address, len, deadline);
        if (fd >= 0)
            return fd;
        if (g_get_monotonic_time() + PAUSE_MS * 1000 >= deadline) {
            g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_NO_ANSWER, "%s", g_strerror(errno));
            return -1;
        }
        g_usleep(PAUSE_MS * 1000);
    }
}

static int dial_tcp(const char *host, const char *port, gint64 deadline, GError **error)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_NO_ANSWER, "%s", gai_strerror(rc));
        return -1;
    }
    int fd = dial(found->ai_addr, found->ai_addrlen, deadline, error);
    freeaddrinfo(found);
    return fd;
}

static int dial_unix(const char *path, gint64 deadline, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    return dial((struct sockaddr *) &address, sizeof address, deadline, error);
}

/* ---- SMTP ---- */

static bool bad_answer(GError **error, const char *what)
{
    g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_BAD_ANSWER, "%s", what);
    return false;
}

/* True once TEXT ends with the last line of a reply ("250 …"). */
static bool is_complete(const GString *text)
{
    if (text->len < 5 || text->str[text->len - 1] != '\n')
        return false;
    const char *line = text->str + text->len - 1;
    while (line > text->str && line[-1] != '\n')
        line--;
    return strlen(line) < 4 || line[3] != '-';
}

/* Reads one reply into TEXT. */
static bool read_reply(int fd, GString *text, GError **error)
{
    char buffer[512];
    g_string_truncate(text, 0);
    while (!is_complete(text)) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return bad_answer(error, n == 0 ? "connection closed" : g_strerror(errno));
        g_string_append_len(text, buffer, n);
        if (text->len > REPLY_MAX)
            return bad_answer(error, "a reply without an end");
    }
    return true;
}

/* Greeting, HELO, MAIL, RCPT: any answer will do but the one that says that the
 * configuration cannot be used. */
static bool speak_smtp(int fd, GError **error)
{
    static const char *const commands[] = {
        "", "HELO configd.invalid\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<configuration-check@configd.invalid>\r\n", "QUIT\r\n",
    };
    g_autoptr(GString) reply = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        size_t len = strlen(commands[i]);
        if (len && send(fd, commands[i], len, MSG_NOSIGNAL) != (ssize_t) len)
            return bad_answer(error, "connection closed");
        if (!read_reply(fd, reply, error))
            return false;
        if (strstr(reply->str, " 4.3.5 ") || (i == 0 && !g_str_has_prefix(reply->str, "220"))) {
            g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_BAD_ANSWER, "the running service answers \"%.200s\"", g_strchomp(reply->str));
            return false;
        }
    }
    return true;
}

bool confirm_ask(const char *question, gint64 deadline, GError **error)
{
    g_auto(GStrv) words = g_strsplit(question, " ", -1);
    guint n = g_strv_length(words);
    guint64 port;
    bool smtp = n == 3 && g_str_equal(words[0], "smtp"), ok;
    int fd;

    if ((smtp || (n == 3 && g_str_equal(words[0], "tcp"))) && g_ascii_string_to_unsigned(words[2], 10, 1, 65535, &port, NULL)) {
        fd = dial_tcp(words[1], words[2], deadline, error);
    } else if (n == 2 && g_str_equal(words[0], "unix")) {
        fd = dial_unix(words[1], deadline, error);
    } else {
        g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_TABLE, "actions table: confirm \"%s\" is none of smtp HOST PORT, tcp HOST PORT, unix PATH", question);
        return false;
    }
    ok = fd >= 0 && (!smtp || speak_smtp(fd, error));
    if (fd >= 0)
        close(fd);
    if (!ok)
        g_prefix_error(error, "%s: ", question);
    return ok;
}
