/* What the appliance's image needs beyond a host set up by hand: root's password
 * for the console, and what set-up wrote in /etc, which a boot builds anew from
 * the image, kept on the data partition (docs/decisions/console-login.md).
 *
 * Both apply on the image alone, told by a file of its read-only root: on any
 * other host root's password and /etc are the administrator's own affair. The
 * password is hashed here; no other program and no log sees it. */
#include <crypt.h>
#include <errno.h>
#include <shadow.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tls/tls.h"
#include "wizard/run.h"
#include "wizard/setup.h"

#define IMAGE_MARK "/usr/lib/mailstead/image"
#define KEEP_FACTS PREFIX "/libexec/zmhostfacts"
#define USER       "root"

enum { DAY_SECONDS = 24 * 60 * 60, HASH_FIELD = 1, CHANGED_FIELD = 2, MIN_FIELDS = 3 };

static bool fail(GError **error, const char *what, const char *reason)
{
    g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "%s: %s", what, reason);
    return false;
}

/* The administrator's password where none was given for the console. */
static const char *password_of(const answers *a)
{
    return a->console_password ? a->console_password : a->admin_password;
}

bool on_image(const answers *a)
{
    return access(IMAGE_MARK, F_OK) == 0;
}

bool console_applies(const answers *a)
{
    return on_image(a) && password_of(a);
}

/* PASSWORD under SETTING: "" makes a new salt of the strongest method, a hash asks
 * for that hash again. NULL when libcrypt refuses; caller frees. */
static char *hash(const char *password, const char *setting)
{
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    g_autofree struct crypt_data *work = g_new0(struct crypt_data, 1);
    if (!*setting && !(setting = crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof salt)))
        return NULL;
    char *made = g_strdup(crypt_rn(password, setting, work, sizeof *work));
    explicit_bzero(work, sizeof *work);
    return made;
}

/* True when FIELD, root's hash, is of PASSWORD. */
static bool opens(const char *field, const char *password)
{
    if (*field != '$')
        return false;               /* empty, or locked */
    g_autofree char *made = hash(password, field);
    return made && g_str_equal(made, field);
}

/* Lines of /etc/shadow with root's fields apart; NULL when there is no such line. */
static char **root_fields(char **lines, char ***ret_line)
{
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, USER ":")) {
            g_auto(GStrv) fields = g_strsplit(*line, ":", -1);
            *ret_line = line;
            return g_strv_length(fields) >= MIN_FIELDS ? g_steal_pointer(&fields) : NULL;
        }
    return NULL;
}

static bool replace(const char *password, GError **error)
{
    g_autofree char *text = NULL;
    char **line;
    struct stat st;
    if (stat(SHADOW, &st) != 0)
        return fail(error, SHADOW, g_strerror(errno));
    if (!g_file_get_contents(SHADOW, &text, NULL, error))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) fields = root_fields(lines, &line);
    g_autofree char *made = hash(password, "");
    if (!fields)
        return fail(error, SHADOW, "has no entry of " USER);
    if (!made || *made != '$')
        return fail(error, "libcrypt", "cannot make a hash of the password for the console");
    g_free(fields[HASH_FIELD]);
    fields[HASH_FIELD] = g_steal_pointer(&made);
    g_free(fields[CHANGED_FIELD]);
    fields[CHANGED_FIELD] = g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time() / G_USEC_PER_SEC / DAY_SECONDS);
    g_free(*line);
    *line = g_strjoinv(":", fields);
    g_autofree char *changed = g_strjoinv("\n", lines);
    return tls_write_file(SHADOW, changed, st.st_mode & 0777, st.st_gid, error);
}

bool console_is_done(setup *s)
{
    g_autofree char *text = NULL;
    char **line;
    if (!g_file_get_contents(SHADOW, &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) fields = root_fields(lines, &line);
    return fields && opens(fields[HASH_FIELD], password_of(s->answers));
}

bool console_set(setup *s, GError **error)
{
    if (lckpwdf() != 0)
        return fail(error, SHADOW, "another program keeps it locked; run set-up again");
    bool done = replace(password_of(s->answers), error);
    (void) ulckpwdf();              /* fails only when it is not locked */
    return done;
}

bool facts_keep(setup *s, GError **error)
{
    static const char *const save[] = { KEEP_FACTS, "save", NULL };
    return run_program(save, NULL, NULL, error);
}
