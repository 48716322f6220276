/* storecheck: recovers one shard's store (shard_open is the recovery) and tells what
 * is in it, one line a message:
 *
 *   ACCOUNT FOLDER-ID UID SIZE MODSEQ SHA256-OF-TEXT SUMMARY-SIZE
 *
 * --abandon leaves without closing, as a crash right after recovery would. Reads
 * through the public interface alone. */
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/mailbox.h"
#include "agents/store/wire/wire.h"
#include "lib/journal/journal.h"
#include "lib/mime/mime.h"

typedef struct {
    sd_event *event;
    bool done;
    int r;
    mailbox *box;
    folder_view *view;
    int fd;
    uint64_t size, summary_size;
} check;

static void wait_for(check *c, const char *what)
{
    while (!c->done)
        if (sd_event_run(c->event, UINT64_MAX) < 0)
            exit(EXIT_FAILURE);
    c->done = false;
    if (c->r < 0) {
        fprintf(stderr, "storecheck: %s: %s\n", what, g_strerror(-c->r));
        exit(EXIT_FAILURE);
    }
}

static void on_mailbox(int r, mailbox *m, void *data)
{
    check *c = data;
    c->r = r;
    c->box = m;
    c->done = true;
}

static void on_view(int r, folder_view *v, void *data)
{
    check *c = data;
    c->r = r;
    c->view = v;
    c->done = true;
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    check *c = data;
    c->r = r;
    c->fd = fd;
    c->size = size;
    c->done = true;
}

static void on_summary(int r, const void *summary, size_t len, void *data)
{
    check *c = data;
    mime_summary *s = NULL;
    c->r = r < 0 ? r : mime_summary_decode(summary, len, &s);
    c->summary_size = s ? s->size : 0;
    c->done = true;
    mime_summary_free(s);
}

static char *hash_of(int fd, uint64_t size)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guchar bytes[65536];
    ssize_t n;
    for (uint64_t at = 0; at < size && (n = pread(fd, bytes, MIN(sizeof bytes, size - at), (off_t) at)) > 0; at += (uint64_t) n)
        g_checksum_update(sum, bytes, n);
    return g_strdup(g_checksum_get_string(sum));
}

static void show_message(check *c, const char *account, uint32_t folder, const message_record *m)
{
    mailbox_blob(c->box, m->item, on_blob, c);
    wait_for(c, "blob");
    g_autofree char *hash = hash_of(c->fd, c->size);
    close(c->fd);
    if (c->size != m->size)
        fprintf(stderr, "storecheck: %s uid %u: blob has %llu bytes, record %u\n", account, m->uid,
                (unsigned long long) c->size, m->size);
    mailbox_summary(c->box, m->item, on_summary, c);
    wait_for(c, "summary");
    printf("%s %u %u %llu %llu %s %llu\n", account, folder, m->uid, (unsigned long long) c->size,
           (unsigned long long) m->modseq, hash, (unsigned long long) c->summary_size);
}

static void show_account(check *c, shard *s, const char *account)
{
    mailbox_open(s, account, account, on_mailbox, c);
    wait_for(c, account);
    const folder_info *f;
    for (unsigned i = 0; (f = mailbox_folder_at(c->box, i)) != NULL; i++) {
        uint32_t id = f->id, count = f->messages, next = f->uidnext;
        mailbox_view(c->box, id, on_view, c);
        wait_for(c, "view");
        if (c->view->n != count || c->view->uidnext != next)
            fprintf(stderr, "storecheck: %s folder %u: view and folder disagree\n", account, id);
        const message_record *m, *last = NULL;
        for (uint32_t k = 0; (m = folder_view_at(c->view, k)) != NULL; last = m, k++) {
            if ((last && m->uid <= last->uid) || m->uid >= c->view->uidnext)
                fprintf(stderr, "storecheck: %s folder %u: uid %u out of order\n", account, id, m->uid);
            show_message(c, account, id, m);
        }
        folder_view_unref(c->view);
    }
    mailbox_unref(c->box);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "store-dir", required_argument, NULL, 's' }, { "redolog-dir", required_argument, NULL, 'r' },
        { "db-dir", required_argument, NULL, 'd' }, { "number", required_argument, NULL, 'n' },
        { "count", required_argument, NULL, 'c' }, { "abandon", no_argument, NULL, 'a' }, { 0 },
    };
    shard_config config = { .count = 1, .checkpoint_bytes = 64 << 20, .checkpoint_seconds = 60, .workers = 2 };
    bool abandon = false;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1; ) {
        switch (o) {
        case 's': config.store_dir = optarg; break;
        case 'r': config.redolog_dir = optarg; break;
        case 'd': config.db_dir = optarg; break;
        case 'n': config.number = (unsigned) g_ascii_strtoull(optarg, NULL, 10); break;
        case 'c': config.count = (unsigned) g_ascii_strtoull(optarg, NULL, 10); break;
        case 'a': abandon = true; break;
        default: return 2;
        }
    }
    journal_open("storecheck", "warning");
    check c = { 0 };
    shard *s;
    int r = sd_event_default(&c.event);
    if (r < 0 || (r = shard_open(c.event, &config, &s)) < 0) {
        fprintf(stderr, "storecheck: the store does not open: %s\n", g_strerror(-r));
        return EXIT_FAILURE;
    }
    for (int i = optind; i < argc; i++)
        if (wire_shard_of(argv[i], config.count) == config.number)
            show_account(&c, s, argv[i]);
    fflush(stdout);
    if (abandon)
        _exit(EXIT_SUCCESS);
    shard_close(s);
    sd_event_unref(c.event);
    return EXIT_SUCCESS;
}
