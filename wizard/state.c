/* The state file: a key file with one section.
 *
 *   [setup]
 *   answers=SHA-256 of the answer file
 *   steps=host-name;secrets;
 *   complete=false
 *
 * It is 0600, replaced atomically and flushed with its folder, so that after a
 * power cut it names no step that was not finished. */
#include "wizard/state.h"

#include "lib/tls/tls.h"

#define SECTION "setup"

struct setup_state {
    char *path;
    GKeyFile *file;
};

setup_state *state_load(const char *path, GError **error)
{
    g_autoptr(setup_state) state = g_new0(setup_state, 1);
    g_autoptr(GError) reason = NULL;
    state->path = g_strdup(path);
    state->file = g_key_file_new();
    if (!g_key_file_load_from_file(state->file, path, G_KEY_FILE_NONE, &reason) &&
        !g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&reason), "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&state);
}

void state_free(setup_state *state)
{
    if (!state)
        return;
    g_free(state->path);
    g_key_file_unref(state->file);
    g_free(state);
}

bool state_has(const setup_state *state, const char *step)
{
    g_auto(GStrv) steps = g_key_file_get_string_list(state->file, SECTION, "steps", NULL, NULL);
    return steps && g_strv_contains((const char *const *) steps, step);
}

bool state_is_complete(const setup_state *state)
{
    return g_key_file_get_boolean(state->file, SECTION, "complete", NULL);
}

bool state_same_answers(const setup_state *state, const char *digest)
{
    g_autofree char *recorded = g_key_file_get_string(state->file, SECTION, "answers", NULL);
    return recorded && g_str_equal(recorded, digest);
}

void state_restart(setup_state *state, const char *digest)
{
    g_key_file_unref(state->file);
    state->file = g_key_file_new();
    g_key_file_set_string(state->file, SECTION, "answers", digest);
}

static bool save(setup_state *state, GError **error)
{
    g_autofree char *text = g_key_file_to_data(state->file, NULL, NULL);
    return tls_write_file(state->path, text, 0600, (gid_t) -1, error);
}

bool state_add(setup_state *state, const char *step, GError **error)
{
    g_auto(GStrv) steps = g_key_file_get_string_list(state->file, SECTION, "steps", NULL, NULL);
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_strv_builder_addv(all, steps ? (const char **) steps : (const char *[]) { NULL });
    g_strv_builder_add(all, step);
    g_auto(GStrv) list = g_strv_builder_end(all);
    g_key_file_set_string_list(state->file, SECTION, "steps", (const char *const *) list, g_strv_length(list));
    return save(state, error);
}

bool state_complete(setup_state *state, GError **error)
{
    g_key_file_set_boolean(state->file, SECTION, "complete", TRUE);
    return save(state, error);
}
