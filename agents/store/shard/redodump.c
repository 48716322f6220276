/* zmredodump: prints a shard's redo log, one line a record. Reads only; the shard
 * may be running, the end is then what was written so far. */
#include <getopt.h>

#include "agents/store/shard/op.h"
#include "agents/store/shard/redo-scan.h"

static const char usage[] =
    "Usage: zmredodump [OPTION]... SHARD\n"
    "Prints the redo log of a shard, one line a record: position, mailbox, change.\n\n"
    "  --dir DIR       folder of the redo logs (" PREFIX "/redolog)\n"
    "  --from LSN      from this position on\n"
    "  --mailbox ID    only this mailbox\n"
    "  --segments      the segments instead of the records\n"
    "  --help          this text\n";

typedef struct {
    const char *dir;
    guint64 shard, from, mailbox;
    bool segments;
} arguments;

static bool number_of(const char *text, guint64 max, guint64 *ret)
{
    GError *error = NULL;
    if (g_ascii_string_to_unsigned(text, 10, 0, max, ret, &error))
        return true;
    fprintf(stderr, "zmredodump: %s\n", error->message);
    g_error_free(error);
    return false;
}

/* 0 go on, 1 help was given, 2 bad usage. */
static int parse_arguments(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' }, { "from", required_argument, NULL, 'f' }, { "mailbox", required_argument, NULL, 'm' },
        { "segments", no_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    bool ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "h", options, NULL)) != -1; ) {
        switch (c) {
        case 'd': a->dir = optarg; break;
        case 'f': ok = number_of(optarg, G_MAXUINT64, &a->from); break;
        case 'm': ok = number_of(optarg, G_MAXUINT64, &a->mailbox); break;
        case 's': a->segments = true; break;
        case 'h': fputs(usage, stdout); return 1;
        default: ok = false; break;
        }
    }
    if (ok && optind + 1 == argc && number_of(argv[optind], 63, &a->shard))
        return 0;
    fputs(usage, stderr);
    return 2;
}

static int print_record(const redo_record *r, void *data)
{
    const arguments *a = data;
    if (a->mailbox && r->mailbox != a->mailbox)
        return 0;
    op *o;
    g_autoptr(GString) line = g_string_new(NULL);
    if (op_decode(r->type, r->payload, r->len, &o) == 0) {
        op_describe(o, line);
        op_free(o);
    } else {
        g_string_append_printf(line, "unreadable record of type %u, %u bytes", r->type, r->len);
    }
    printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n", r->lsn, r->mailbox, line->str);
    return 0;
}

static void print_segments(const redo_chain *c)
{
    for (guint i = 0; i < c->segments->len; i++) {
        const redo_segment *s = &g_array_index(c->segments, redo_segment, i);
        if (s->valid)
            printf("%04u.redo %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "\n", s->slot, s->header.start, s->end);
        else
            printf("%04u.redo free\n", s->slot);
    }
}

int main(int argc, char **argv)
{
    arguments a = { .dir = PREFIX "/redolog" };
    int r = parse_arguments(argc, argv, &a);
    if (r)
        return r == 1 ? EXIT_SUCCESS : r;
    g_autofree char *dir = g_strdup_printf("%s/%u", a.dir, (unsigned) a.shard), *why = NULL;
    g_autoptr(redo_chain) chain = NULL;
    if (redo_chain_read(dir, (uint32_t) a.shard, &chain, &why) < 0) {
        fprintf(stderr, "zmredodump: %s\n", why);
        return EXIT_FAILURE;
    }
    if (a.segments)
        print_segments(chain);
    else if ((r = redo_chain_each(chain, a.from, print_record, &a)) < 0) {
        fprintf(stderr, "zmredodump: %s: %s\n", dir, g_strerror(-r));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
