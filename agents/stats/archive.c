/* See archive.h. The archive is written anew under another name and put in place by
 * a rename, so it is one gzip member, which every reader understands. */
#include "agents/stats/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

enum { LEVEL = 6 };

static bool copy(GOutputStream *out, const char *path, bool compressed, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) raw = g_file_read(file, NULL, error);
    if (!raw)
        return false;
    g_autoptr(GConverter) unzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    g_autoptr(GInputStream) in = compressed ? g_converter_input_stream_new(G_INPUT_STREAM(raw), unzip)
                                            : g_object_ref(G_INPUT_STREAM(raw));
    return g_output_stream_splice(out, in, G_OUTPUT_STREAM_SPLICE_NONE, NULL, error) >= 0;
}

static bool compress(const char *path, const char *before, const char *fresh, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(fresh);
    g_autoptr(GFileOutputStream) raw = g_file_replace(file, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION, NULL, error);
    if (!raw)
        return false;
    g_autoptr(GConverter) zip = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, LEVEL));
    g_autoptr(GOutputStream) out = g_converter_output_stream_new(G_OUTPUT_STREAM(raw), zip);
    bool ok = (!before || copy(out, before, true, error)) && copy(out, path, false, error);
    return g_output_stream_close(out, NULL, ok ? error : NULL) && ok;
}

bool archive_move(const char *path, const char *folder, const char *to, GError **error)
{
    if (g_mkdir_with_parents(folder, 0755) < 0) {
        int e = errno;
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "%s cannot be made: %s", folder, g_strerror(e));
        return false;
    }
    g_autofree char *fresh = g_strdup_printf("%s.new", to);
    bool ok = compress(path, g_file_test(to, G_FILE_TEST_EXISTS) ? to : NULL, fresh, error);
    if (ok && (g_chmod(fresh, 0644) < 0 || g_rename(fresh, to) < 0 || g_unlink(path) < 0)) {
        int e = errno;
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "%s cannot be moved to %s: %s", path, to, g_strerror(e));
        ok = false;
    }
    if (!ok)
        (void) g_unlink(fresh);
    return ok;
}
