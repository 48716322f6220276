/* zmlmtpinject: sends message files over LMTP and tells the rate. A testing tool
 * (guide, appendix A): one thread a connection, blocking, one message at a time
 * with the session's commands pipelined. Line ends are sent as CRLF whatever the
 * file has; nothing else is changed. */
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_USAGE 2

static char *arg_address, *arg_port, *arg_sender, *arg_directory;
static char **arg_recipients, **arg_files;
static int arg_threads = 1, arg_count = 1, arg_every;
static gboolean arg_quiet, arg_trace;

static const GOptionEntry entries[] = {
    { "address", 'a', 0, G_OPTION_ARG_STRING, &arg_address, "LMTP server (127.0.0.1)", "HOST[:PORT]" },
    { "port", 'p', 0, G_OPTION_ARG_STRING, &arg_port, "its port (7025)", "PORT" },
    { "sender", 's', 0, G_OPTION_ARG_STRING, &arg_sender, "envelope sender (empty: <>)", "ADDRESS" },
    { "recipient", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &arg_recipients, "envelope recipient; may be repeated", "ADDRESS" },
    { "directory", 'd', 0, G_OPTION_ARG_FILENAME, &arg_directory, "send every file of this folder", "FOLDER" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &arg_threads, "connections at a time (1)", "N" },
    { "count", 'n', 0, G_OPTION_ARG_INT, &arg_count, "send the whole set so often (1)", "N" },
    { "every", 'N', 0, G_OPTION_ARG_INT, &arg_every, "report progress every N messages", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &arg_quiet, "print failures only", NULL },
    { "trace", 'T', 0, G_OPTION_ARG_NONE, &arg_trace, "print the conversation", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg_files, NULL, "FILE..." },
    { 0 },
};

typedef struct {
    struct addrinfo *server;
    GPtrArray *files;            /* names */
    GPtrArray *bodies;           /* GBytes: dot-stuffed, with the final dot */
    guint next, total;           /* atomic: next message to take */
    gint accepted, refused, failed, messages;   /* atomic: by recipient; connections lost; messages */
    gint64 started;
} injection;

typedef struct { injection *all; int fd; char buffer[4096]; size_t at, len; } connection;

/* ---- files ---- */

static GBytes *stuffed(const char *text, gsize len)
{
    GString *out = g_string_sized_new(len + len / 40 + 8);
    for (const char *p = text, *end = text + len; p < end; ) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *stop = nl ? nl : end;
        gsize n = (gsize) (stop - p);
        if (n && p[n - 1] == '\r')
            n--;
        if (n && *p == '.')
            g_string_append_c(out, '.');
        g_string_append_len(out, p, (gssize) n);
        g_string_append(out, "\r\n");
        p = nl ? nl + 1 : end;
    }
    g_string_append(out, ".\r\n");
    return g_string_free_to_bytes(out);
}

static bool load(injection *in, const char *name)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;
    if (!g_file_get_contents(name, &text, &len, &error)) {
        g_printerr("zmlmtpinject: %s\n", error->message);
        return false;
    }
    g_ptr_array_add(in->files, g_strdup(name));
    g_ptr_array_add(in->bodies, stuffed(text, len));
    return true;
}

static bool load_directory(injection *in, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    if (!dir) {
        g_printerr("zmlmtpinject: %s\n", error->message);
        return false;
    }
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; ) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && !load(in, path))
            return false;
    }
    return true;
}

/* ---- conversation ---- */

static bool send_all(connection *c, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t) n;
    }
    return true;
}

static bool read_byte(connection *c, char *ret)
{
    if (c->at == c->len) {
        ssize_t n;
        do
            n = recv(c->fd, c->buffer, sizeof c->buffer, 0);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return false;
        c->at = 0;
        c->len = (size_t) n;
    }
    *ret = c->buffer[c->at++];
    return true;
}

/* One reply, of several lines perhaps: its code, or -1 when the connection ended.
 * LAST (may be NULL) gets its last line. */
static int reply(connection *c, GString *last)
{
    g_autoptr(GString) line = g_string_new(NULL);
    do {
        g_string_truncate(line, 0);
        for (char b; ; ) {
            if (!read_byte(c, &b) || line->len > 4000)
                return -1;
            if (b == '\n')
                break;
            if (b != '\r')
                g_string_append_c(line, b);
        }
        if (arg_trace)
            g_print("S: %s\n", line->str);
    } while (line->len > 3 && line->str[3] == '-');
    if (last)
        g_string_assign(last, line->str);
    return line->len >= 3 && g_ascii_isdigit(line->str[0]) ? (int) g_ascii_strtoll(line->str, NULL, 10) : -1;
}

static bool say(connection *c, const char *text)
{
    if (arg_trace)
        g_print("C: %s", text);
    return send_all(c, text, strlen(text));
}

static bool open_connection(connection *c)
{
    const struct addrinfo *a = c->all->server;
    c->at = c->len = 0;
    c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, a->ai_addr, a->ai_addrlen) < 0) {
        g_printerr("zmlmtpinject: cannot connect to %s port %s: %s\n", arg_address, arg_port, g_strerror(errno));
        return false;
    }
    return reply(c, NULL) == 220 && say(c, "LHLO zmlmtpinject\r\n") && reply(c, NULL) == 250;
}

static void complain(const char *file, const char *recipient, const char *line)
{
    g_printerr("zmlmtpinject: %s for %s: %s\n", file, recipient, line);
}

/* MAIL and all RCPT in one write. How many recipients were taken, -1: connection lost. */
static int envelope(connection *c, const char *file, GPtrArray *taken)
{
    g_autoptr(GString) commands = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_printf(commands, "MAIL FROM:<%s>\r\n", arg_sender);
    for (char **r = arg_recipients; *r; r++)
        g_string_append_printf(commands, "RCPT TO:<%s>\r\n", *r);
    if (!say(c, commands->str))
        return -1;
    int code = reply(c, line);
    if (code != 250)
        complain(file, arg_sender, line->str);
    for (char **r = arg_recipients; *r && code >= 0; r++) {
        code = reply(c, line);
        if (code == 250) {
            g_ptr_array_add(taken, *r);
            continue;
        }
        complain(file, *r, line->str);
        g_atomic_int_inc(&c->all->refused);
    }
    return code < 0 ? -1 : (int) taken->len;
}

/* False: the connection is lost. */
static bool send_message(connection *c, guint index)
{
    const char *file = c->all->files->pdata[index];
    g_autoptr(GPtrArray) taken = g_ptr_array_new();
    g_autoptr(GString) line = g_string_new(NULL);
    int n = envelope(c, file, taken);
    if (n < 0)
        return false;
    if (n == 0)
        return say(c, "RSET\r\n") && reply(c, NULL) == 250;
    if (!say(c, "DATA\r\n") || reply(c, line) != 354)
        return false;
    gsize len;
    const char *body = g_bytes_get_data(c->all->bodies->pdata[index], &len);
    if (!send_all(c, body, len))
        return false;
    for (guint i = 0; i < taken->len; i++) {
        int code = reply(c, line);
        if (code < 0)
            return false;
        if (code != 250)
            complain(file, taken->pdata[i], line->str);
        g_atomic_int_inc(code == 250 ? &c->all->accepted : &c->all->refused);
    }
    return true;
}

static void progress(injection *in)
{
    gint n = g_atomic_int_add(&in->messages, 1) + 1;
    if (arg_every > 0 && n % arg_every == 0)
        g_print("%d messages, %.1f/s\n", n, n / ((double) (g_get_monotonic_time() - in->started) / G_USEC_PER_SEC));
}

static gpointer worker(gpointer data)
{
    connection c = { .all = data, .fd = -1 };
    for (guint i; (i = (guint) g_atomic_int_add((gint *) &c.all->next, 1)) < c.all->total; ) {
        if ((c.fd >= 0 || open_connection(&c)) && send_message(&c, i % c.all->files->len)) {
            progress(c.all);
            continue;
        }
        g_printerr("zmlmtpinject: connection lost at %s\n", (char *) c.all->files->pdata[i % c.all->files->len]);
        g_atomic_int_inc(&c.all->failed);
        if (c.fd >= 0)
            close(c.fd);
        c.fd = -1;
    }
    if (c.fd >= 0) {
        if (say(&c, "QUIT\r\n"))
            (void) reply(&c, NULL);      /* all messages are answered already */
        close(c.fd);
    }
    return NULL;
}

/* ---- set-up ---- */

static int usage_error(const char *text)
{
    g_printerr("zmlmtpinject: %s; see zmlmtpinject --help\n", text);
    return EXIT_USAGE;
}

/* HOST, HOST:PORT, [v6] or [v6]:PORT; -p holds for a missing port. */
static void split_address(void)
{
    char *colon = strrchr(arg_address, ':');
    bool literal = *arg_address == '[';
    bool has_port = colon && (literal ? colon[-1] == ']' : strchr(arg_address, ':') == colon);
    if (has_port) {
        g_free(arg_port);
        arg_port = g_strdup(colon + 1);
        *colon = 0;
    }
    if (literal) {
        char *inner = g_strndup(arg_address + 1, strcspn(arg_address + 1, "]"));
        g_free(arg_address);
        arg_address = inner;
    }
}

static bool find_server(injection *in)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    int r = getaddrinfo(arg_address, arg_port, &hints, &in->server);
    if (r != 0)
        g_printerr("zmlmtpinject: %s port %s: %s\n", arg_address, arg_port, gai_strerror(r));
    return r == 0;
}

static void run(injection *in)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    in->started = g_get_monotonic_time();
    for (int i = 0; i < arg_threads; i++)
        g_ptr_array_add(threads, g_thread_new("inject", worker, in));
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    double seconds = (double) (g_get_monotonic_time() - in->started) / G_USEC_PER_SEC;
    if (!arg_quiet)
        g_print("%d messages, %d recipients accepted, %d refused, %d connections lost, %.3f s, %.1f messages/s\n",
                in->messages, in->accepted, in->refused, in->failed, seconds, in->messages / MAX(seconds, 0.000001));
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_set_summary(context, "Sends message files over LMTP and prints the rate.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return usage_error(error->message);
    if (!arg_recipients)
        return usage_error("no recipient (-r)");
    if (arg_threads < 1 || arg_threads > 1000 || arg_count < 1)
        return usage_error("-t must be from 1 to 1000 and -n at least 1");
    injection in = { .files = g_ptr_array_new_with_free_func(g_free),
                     .bodies = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref) };
    for (char **f = arg_files; f && *f; f++)
        if (!load(&in, *f))
            return EXIT_USAGE;
    if (arg_directory && !load_directory(&in, arg_directory))
        return EXIT_USAGE;
    if (in.files->len == 0)
        return usage_error("no message files");
    arg_address = arg_address ? arg_address : g_strdup("127.0.0.1");
    arg_port = arg_port ? arg_port : g_strdup("7025");
    arg_sender = arg_sender ? arg_sender : g_strdup("");
    split_address();
    if (!find_server(&in))
        return EXIT_FAILURE;
    in.total = in.files->len * (guint) arg_count;
    run(&in);
    freeaddrinfo(in.server);
    g_ptr_array_unref(in.files);
    g_ptr_array_unref(in.bodies);
    return in.failed || in.refused ? EXIT_FAILURE : EXIT_SUCCESS;
}
