/* The site's part: read, validated, replaced. The file is replaced whole, so that
 * zimbra-schedule.path never sees half of it. */
#include "cli/crontab/crontab.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cron/cron.h"

#define SITE_PATH CRON_SITE_FOLDER "/" CRON_SITE_FILE

static const char help_text[] =
    "# Jobs of this site, kept by updates. minute hour day month weekday command\n"
    "# Another time for a job of the system: that time and the same command; @never: off.\n";

char *site_text(GError **error)
{
    g_autoptr(GError) e = NULL;
    char *text = NULL;
    if (g_file_get_contents(SITE_PATH, &text, NULL, &e))
        return text;
    if (g_error_matches(e, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return g_strdup("");
    g_propagate_error(error, g_steal_pointer(&e));
    return NULL;
}

bool text_is_valid(const char *name, const char *text)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) cron_entry_free);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    cron_parse(name, text, strlen(text), entries, problems);
    for (guint i = 0; i < problems->len; i++)
        fprintf(stderr, "crontab: %s\n", (char *) problems->pdata[i]);
    return problems->len == 0;
}

static bool write_site(const char *text, GError **error)
{
    g_autofree char *temporary = g_strdup(CRON_SITE_FOLDER "/.site.XXXXXX");
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0644);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = f && fputs(text, f) >= 0 && fflush(f) == 0 && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    ok = ok && rename(temporary, SITE_PATH) == 0;
    int saved = errno;
    if (f)
        (void) fclose(f);       /* all is written or the error is known */
    if (ok)
        return true;
    if (fd >= 0)
        (void) g_unlink(temporary);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved), "%s: cannot be written: %s", SITE_PATH, g_strerror(saved));
    return false;
}

int install_text(const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *own = without_block(text, &error);
    if (own && !text_is_valid(name, own))
        return EXIT_FAILED;
    if (own && write_site(own, &error))
        return EXIT_OK;
    fprintf(stderr, "crontab: %s\n", error->message);
    return EXIT_FAILED;
}

static char *find_editor(void)
{
    static const char *const usual[] = { "editor", "nano", "vi" };
    const char *wanted = g_getenv("VISUAL") ? g_getenv("VISUAL") : g_getenv("EDITOR");
    if (wanted && *wanted)
        return g_strdup(wanted);
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        g_autofree char *path = g_find_program_in_path(usual[i]);
        if (path)
            return g_strdup(usual[i]);
    }
    return NULL;
}

static bool run_editor(const char *path, GError **error)
{
    g_autofree char *editor = find_editor(), *quoted = g_shell_quote(path);
    if (!editor) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, "there is no editor; name one in EDITOR, or use crontab FILE");
        return false;
    }
    g_autofree char *line = g_strdup_printf("%s %s", editor, quoted);
    const char *argv[] = { "/bin/sh", "-c", line, NULL };
    int status;
    return g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL, &status, error) &&
        g_spawn_check_wait_status(status, error);
}

/* False at anything but yes: nobody answers in a script. */
static bool wants_to_retry(void)
{
    char answer[8];
    printf("Do you want to retry the same edit? (y/n) ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int edit_file(const char *path, const char *before)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        if (!run_editor(path, &error) || !g_file_get_contents(path, &text, NULL, &error)) {
            fprintf(stderr, "crontab: %s\n", error->message);
            return EXIT_FAILED;
        }
        if (g_str_equal(text, before)) {
            printf("No changes made to crontab\n");
            return EXIT_OK;
        }
        if (install_text("site", text) == EXIT_OK)
            return EXIT_OK;
        if (!wants_to_retry())
            return EXIT_FAILED;
    }
}

int edit_site(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = site_text(&error), *path = NULL;
    int fd = text ? g_file_open_tmp("crontab.XXXXXX", &path, &error) : -1;
    if (fd < 0) {
        fprintf(stderr, "crontab: %s\n", error->message);
        return EXIT_FAILED;
    }
    close(fd);
    const char *before = *text ? text : help_text;
    int status = EXIT_FAILED;
    if (g_file_set_contents(path, before, -1, &error))
        status = edit_file(path, before);
    else
        fprintf(stderr, "crontab: %s\n", error->message);
    (void) g_unlink(path);      /* a temporary file */
    return status;
}
