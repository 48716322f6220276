/* Makes slapd's databases, all or nothing.
 *
 * Below FOLDER: `config` (cn=config, one LDIF file an entry), `mdb/db` (the main
 * database), and while work goes on `config.new` and the mark `unfinished`. The
 * mark is on the disk before anything else and `config` appears by one rename
 * after everything is; so a run that was cut short is seen by the mark and done
 * again from nothing, and a database without mark is never touched. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wizard/ldapinit/ldapinit.h"
#include "wizard/run.h"

#define SLAPD_USER "openldap"

static bool fail(GError **error, const char *path, const char *what)
{
    int reason = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(reason), "%s: cannot %s: %s", path, what,
                g_strerror(reason));
    return false;
}

static bool exists(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool ldapinit_is_done(const char *folder)
{
    return exists(folder, "config/cn=config.ldif");
}

static bool make_folder(const char *folder, const char *name, const struct passwd *owner, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail(error, path, "make the folder");
    if (chown(path, owner->pw_uid, owner->pw_gid) != 0)
        return fail(error, path, "give the folder to " SLAPD_USER);
    return true;
}

static bool sync_folder(const char *folder, bool whole_file_system, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && (whole_file_system ? syncfs(fd) : fsync(fd)) == 0;
    if (!good)
        fail(error, folder, "flush");
    if (fd >= 0)
        (void) close(fd);    /* nothing was written through it */
    return good;
}

static bool set_mark(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "unfinished", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(error, path, "make the mark");
    (void) close(fd);    /* an empty file: its name is all */
    return sync_folder(folder, false, error);
}

static bool clear_mark(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "unfinished", NULL);
    if (unlink(path) != 0)
        return fail(error, path, "remove the mark");
    return sync_folder(folder, false, error);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* What a run that was cut short left; mdb/db may be a mount, so it stays. */
static bool remove_leftovers(const char *folder, GError **error)
{
    static const char *const names[] = { "config.new", "mdb/db/data.mdb", "mdb/db/lock.mdb" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
            return fail(error, path, "remove what an earlier run left");
    }
    return true;
}

static bool prepare(const char *folder, const struct passwd *owner, GError **error)
{
    if (exists(folder, "mdb/db/data.mdb") && !exists(folder, "unfinished")) {
        g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE,
                    "%s/mdb/db holds a database but %s/config is missing; restore config from a backup, "
                    "or move mdb/db/data.mdb away to begin with an empty directory", folder, folder);
        return false;
    }
    static const char *const folders[] = { "config.new", "mdb", "mdb/db" };
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return fail(error, folder, "make the folder");
    if (!make_folder(folder, "", owner, error) || !set_mark(folder, error) || !remove_leftovers(folder, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
        if (!make_folder(folder, folders[i], owner, error))
            return false;
    return true;
}

/* slapadd as the user that slapd runs as: every file is his from the start. */
static bool slapadd(const char *folder, const char *database, const char *ldif, GError **error)
{
    g_autofree char *config = g_build_filename(folder, "config.new", NULL);
    const char *const argv[] = { "setpriv", "--reuid=" SLAPD_USER, "--regid=" SLAPD_USER, "--init-groups", "--",
                                 "slapadd", "-F", config, "-n", database, NULL };
    return run_program(argv, ldif, NULL, error);
}

static bool publish(const char *folder, GError **error)
{
    g_autofree char *from = g_build_filename(folder, "config.new", NULL);
    g_autofree char *to = g_build_filename(folder, "config", NULL);
    if (!sync_folder(folder, true, error))
        return false;
    if (rename(from, to) != 0)
        return fail(error, to, "put the configuration in place");
    return sync_folder(folder, false, error) && clear_mark(folder, error);
}

bool ldapinit_load(const char *folder, const char *config_ldif, const char *tree_ldif, GError **error)
{
    errno = 0;
    const struct passwd *owner = getpwnam(SLAPD_USER);
    if (!owner) {
        g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE, "there is no user " SLAPD_USER "; is slapd installed?");
        return false;
    }
    return prepare(folder, owner, error) && slapadd(folder, "0", config_ldif, error) &&
           slapadd(folder, "2", tree_ldif, error) && publish(folder, error);
}
