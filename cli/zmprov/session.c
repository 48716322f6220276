/* Connections of a run: opened when a command first needs one. */
#include "cli/zmprov/session.h"

static directory *open_directory(session *s, directory_mode mode, GError **error)
{
    if (s->debug)
        fprintf(stderr, "zmprov: connecting to %s for %s\n",
                localconfig_get_or(s->lc, mode == DIRECTORY_WRITE ? "ldap_master_url" : "ldap_url", ""),
                mode == DIRECTORY_WRITE ? "writing" : "reading");
    return directory_open(s->lc, mode, error);
}

directory *session_writer(session *s, GError **error)
{
    if (!s->writer)
        s->writer = open_directory(s, DIRECTORY_WRITE, error);
    return s->writer;
}

/* Reads come from the connection that wrote, so that a command sees what the
 * one before it did. */
directory *session_reader(session *s, GError **error)
{
    if (s->from_master || s->writer)
        return session_writer(s, error);
    if (!s->reader)
        s->reader = open_directory(s, DIRECTORY_READ, error);
    return s->reader;
}

void session_done(session *s)
{
    directory_close(s->reader);
    directory_close(s->writer);
    localconfig_free(s->lc);
    g_free(s->account);
    if (s->password)
        explicit_bzero(s->password, strlen(s->password));
    g_free(s->password);
    g_free(s->server);
}
