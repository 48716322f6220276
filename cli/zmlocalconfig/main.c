/* zmlocalconfig: shows and changes this host's own settings (guide, appendix A).
 * Exit status: 0, 1 for an error, 2 for wrong options. */
#include <getopt.h>
#include <unistd.h>

#include "cli/zmlocalconfig/zmlocalconfig.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "zmlocalconfig [OPTIONS] [KEY... | KEY=VALUE...]\n"
    "\n"
    "  -c/--config FILE    use this file\n"
    "  -d/--default        show built-in defaults\n"
    "  -e/--edit           change keys: KEY=VALUE...\n"
    "  -f/--force          with -e and -u: also keys whose change is dangerous\n"
    "  -h/--help           this text\n"
    "  -i/--info           show the keys meant for administrators\n"
    "  -m/--format FORM    plain (default), xml, shell, export or nokey\n"
    "  -n/--changed        show only keys that differ from their defaults\n"
    "  -p/--path           say which file is used\n"
    "  -q/--quiet          no warnings\n"
    "  -r/--random         with -e: KEY... get random passwords\n"
    "  -s/--show           show passwords\n"
    "  -u/--unset          remove KEY...; one with a default gets the empty value\n"
    "  -x/--expand         expand ${...} in values\n";

static const struct option options[] = {
    { "config", required_argument, NULL, 'c' },
    { "default", no_argument, NULL, 'd' },
    { "edit", no_argument, NULL, 'e' },
    { "force", no_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },
    { "info", no_argument, NULL, 'i' },
    { "format", required_argument, NULL, 'm' },
    { "changed", no_argument, NULL, 'n' },
    { "path", no_argument, NULL, 'p' },
    { "quiet", no_argument, NULL, 'q' },
    { "random", no_argument, NULL, 'r' },
    { "show", no_argument, NULL, 's' },
    { "unset", no_argument, NULL, 'u' },
    { "expand", no_argument, NULL, 'x' },
    { NULL, 0, NULL, 0 },
};

struct request {
    const char *file;
    show_options show;
    edit_options edit;
    bool edits, unsets, path;
};

static int fail_usage(const char *text)
{
    fprintf(stderr, "zmlocalconfig: %s\n", text);
    return EXIT_USAGE;
}

/* -1 to go on, else an exit status. */
static int take_options(struct request *r, int argc, char **argv)
{
    for (int o; (o = getopt_long(argc, argv, "c:defhim:npqrsux", options, NULL)) != -1; ) {
        switch (o) {
        case 'c': r->file = optarg; break;
        case 'd': r->show.defaults = true; break;
        case 'e': r->edits = true; break;
        case 'f': r->edit.force = true; break;
        case 'h': fputs(usage, stdout); return EXIT_SUCCESS;
        case 'i': r->show.info = true; break;
        case 'm':
            r->show.format = show_format_of(optarg);
            if (r->show.format == FORMATS)
                return fail_usage("-m takes plain, xml, shell, export or nokey");
            break;
        case 'n': r->show.changed = true; break;
        case 'p': r->path = true; break;
        case 'q': r->show.quiet = r->edit.quiet = true; break;
        case 'r': r->edit.random = true; break;
        case 's': r->show.secrets = true; break;
        case 'u': r->unsets = true; break;
        case 'x': r->show.expand = true; break;
        default: return fail_usage("see zmlocalconfig --help");
        }
    }
    if (r->edits && r->unsets)
        return fail_usage("-e and -u exclude each other");
    if (r->edit.random && !r->edits)
        return fail_usage("-r belongs to -e");
    return -1;
}

/* The guide prints "zmlocalconfig -c key=value" where it means -e. */
static bool meant_edit(const char *file)
{
    const char *equals = file ? strchr(file, '=') : NULL;
    g_autofree char *key = equals ? g_strndup(file, (gsize) (equals - file)) : NULL;
    return key && localconfig_is_known(key) && access(file, F_OK) != 0;
}

static bool run(const struct request *r, localconfig *lc, char **words, GError **error)
{
    if (r->path) {
        printf("%s\n", localconfig_path(lc));
        return true;
    }
    if (r->edits)
        return edit_keys(lc, &r->edit, words, error) && localconfig_save(lc, error);
    if (r->unsets)
        return unset_keys(lc, &r->edit, words, error) && localconfig_save(lc, error);
    return show_keys(lc, &r->show, words, stdout, error);
}

int main(int argc, char **argv)
{
    struct request r = { NULL };
    g_autoptr(GError) error = NULL;
    int status = take_options(&r, argc, argv);
    if (status >= 0)
        return status;
    char **words = argv + optind;
    char *guides_form[] = { (char *) r.file, NULL };
    if (!r.edits && !*words && meant_edit(r.file)) {
        r.edits = true;
        r.file = NULL;
        words = guides_form;
    }
    if ((r.edits || r.unsets) && !*words)
        return fail_usage(r.edits ? "which key? KEY=VALUE is needed" : "which key?");
    g_autoptr(localconfig) lc = localconfig_load(r.file, &error);
    if (lc && run(&r, lc, words, &error))
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    fflush(stdout);
    fprintf(stderr, "zmlocalconfig: %s\n", error->message);
    return EXIT_FAILURE;
}
