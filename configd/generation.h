/* Generations on disk.
 *
 *   conf/<folder>.d/<N>/…       files of generation N, never changed once sealed
 *   conf/<folder> -> <folder>.d/<N>   the live one
 *
 * Numbers are shared by all folders; a folder has only the generations in which
 * it changed. Every step that a power cut could tear is ordered: files, then
 * their folder, then the parent are flushed before the link turns, and the link
 * turns by rename(2). */
#ifndef MAILSTEAD_CONFIGD_GENERATION_H
#define MAILSTEAD_CONFIGD_GENERATION_H

#include <glib.h>
#include <stdbool.h>
#include "configd/layout.h"
#include "configd/plan.h"

typedef struct {
    const layout *l;
    bool keep_owner;    /* leave files to who runs this (--render-only, tests) */
    /* Tests: called before each step that changes the disk; non-zero (errno) fails it. */
    int (*inject)(const char *step, void *data);
    void *inject_data;
} generation_store;

/* The rendered files of one folder: TEXTS in the order of FOLDER->files. */
typedef struct {
    const plan_folder *folder;
    GPtrArray *texts;
} rendering;

rendering *rendering_new(const plan_folder *folder);
void rendering_free(rendering *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rendering, rendering_free)

/* Path of FOLDER's generation N; caller frees. */
char *generation_path(const generation_store *s, const char *folder, int n);
/* The live generation's number; -1 when there is none. */
int generation_live(const generation_store *s, const char *folder);
/* Greatest number in use on disk by any folder of P, 0 when none. */
int generation_highest(const generation_store *s, const plan *p);
/* FOLDER's newest generation <= N; -1 when none. */
int generation_at(const generation_store *s, const char *folder, int n);

/* Names of R's files that differ (text, mode, owner) in generation N, or are
 * missing there. N < 0: all. Free with g_ptr_array_unref. */
GPtrArray *generation_compare(const generation_store *s, const rendering *r, int n);

bool generation_exists(const generation_store *s, const char *folder, int n);

/* Writes R as generation N, not live, not yet flushed. A file that is the same in
 * generation BEFORE (negative: none) is linked from there, not written again. */
bool generation_create(const generation_store *s, const rendering *r, int before, int n, GError **error);
/* Flushes generation N of FOLDER to disk, whoever wrote its files. */
bool generation_seal(const generation_store *s, const plan_folder *folder, int n, GError **error);
/* Turns the live link to N; N < 0 removes it. */
bool generation_flip(const generation_store *s, const char *folder, int n, GError **error);
bool generation_remove(const generation_store *s, const char *folder, int n, GError **error);
/* Removes generations of FOLDER that are not live and that KEEP refuses. */
void generation_prune(const generation_store *s, const char *folder, bool (*keep)(int n, void *data), void *data);

/* The guide's paths. Sets what is missing or wrong. */
bool generation_link(const generation_store *s, const plan_folder *folder, GError **error);

/* Writes PATH (0600) so that a reader or a power cut sees the old or the new text. */
bool generation_write_state(const generation_store *s, const char *path, const char *text, GError **error);

#define GENERATION_ERROR (generation_error_quark())
GQuark generation_error_quark(void);

#endif
