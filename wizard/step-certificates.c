/* The certificate authority and this host's certificate.
 *
 * The first host makes the authority; its key goes into the directory with the
 * tree (zmldapinit), where only the administrator's identity reads it. A
 * joining host trusts the CA file of its answers and takes the key from there
 * for as long as signing lasts; it never writes it to its disk. */
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tls/tls.h"
#include "wizard/setup.h"

#define KEY_GROUP "zmtls"

static char *read_text(const char *path, GError **error)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, error) ? text : NULL;
}

static bool make_folders(GError **error)
{
    static const char *const folders[] = { TLS_CA_DIR, TLS_SERVER_DIR };
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (g_mkdir_with_parents(folders[i], 0755) != 0) {
            g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "%s: cannot make the folder", folders[i]);
            return false;
        }
    }
    return true;
}

/* ---- the authority ---- */

static tls_identity *own_authority(GError **error)
{
    g_autofree char *cert = read_text(TLS_CA_CERT, error), *key = cert ? read_text(TLS_CA_KEY, error) : NULL;
    return key ? tls_from_pem(cert, key, error) : NULL;
}

bool authority_is_there(setup *s)
{
    if (answers_is_first_host(s->answers)) {
        g_autoptr(tls_identity) ca = own_authority(NULL);
        return ca != NULL;
    }
    g_autofree char *have = read_text(TLS_CA_CERT, NULL), *given = read_text(s->answers->directory_ca, NULL);
    return have && given && g_str_equal(have, given);
}

/* The key first: a certificate without its key would look like a joining host's. */
static bool make_authority(const char *host, GError **error)
{
    g_autofree char *name = g_strdup_printf("Mailstead CA %s", host);
    if (strlen(name) > 64)
        name[64] = '\0';
    g_autoptr(tls_identity) ca = tls_make_ca(name, error);
    if (!ca)
        return false;
    g_autofree char *cert = tls_cert_pem(ca), *key = tls_key_pem(ca);
    return tls_write_file(TLS_CA_KEY, key, 0600, (gid_t) -1, error) &&
           tls_write_file(TLS_CA_CERT, cert, 0644, (gid_t) -1, error);
}

bool authority_make(setup *s, GError **error)
{
    if (!make_folders(error))
        return false;
    if (answers_is_first_host(s->answers))
        return make_authority(s->answers->host_name, error);
    g_autofree char *given = read_text(s->answers->directory_ca, error);
    return given && tls_write_file(TLS_CA_CERT, given, 0644, (gid_t) -1, error);
}

/* ---- the host's certificate ---- */

static tls_identity *directory_authority(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    g_autoptr(entry) config = dir ? directory_global_config(dir, error) : NULL;
    if (!config)
        return NULL;
    const char *cert = entry_get(config, "zimbraCertAuthorityCertSelfSigned");
    const char *key = entry_get(config, "zimbraCertAuthorityKeySelfSigned");
    if (cert && key)
        return tls_from_pem(cert, key, error);
    g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED,
                "the directory holds no certificate authority (zimbraCertAuthorityCertSelfSigned and "
                "zimbraCertAuthorityKeySelfSigned of the global config)");
    return NULL;
}

bool certificate_is_good(setup *s)
{
    g_autofree char *cert = read_text(TLS_SERVER_CERT, NULL), *key = read_text(TLS_SERVER_KEY, NULL);
    g_autofree char *ca = read_text(TLS_CA_CERT, NULL);
    if (!cert || !key || !ca)
        return false;
    g_autoptr(tls_identity) id = tls_from_pem(cert, key, NULL);
    return id && tls_verify(cert, ca, s->answers->host_name, NULL);
}

static bool write_certificate(const tls_identity *ca, const tls_identity *id, GError **error)
{
    const struct group *group = getgrnam(KEY_GROUP);
    if (!group) {
        g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "there is no group " KEY_GROUP "; run systemd-sysusers");
        return false;
    }
    gid_t gid = group->gr_gid;
    g_autofree char *own = tls_cert_pem(id), *issuer = tls_cert_pem(ca), *key = tls_key_pem(id);
    g_autofree char *chain = g_strconcat(own, issuer, NULL);
    return tls_write_file(TLS_SERVER_KEY, key, 0640, gid, error) &&
           tls_write_file(TLS_SERVER_CERT, chain, 0644, (gid_t) -1, error);
}

bool certificate_make(setup *s, GError **error)
{
    g_autoptr(tls_identity) ca =
        answers_is_first_host(s->answers) ? own_authority(error) : directory_authority(s, error);
    if (!ca)
        return false;
    const char *const names[] = { s->answers->host_name, s->answers->host_address, NULL };
    g_autoptr(tls_identity) id = tls_make_host(ca, names, error);
    return id && write_certificate(ca, id, error);
}
