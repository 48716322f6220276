/* What is rendered from what, and what a change of it does: the actions table
 * with the templates it names (docs/admin/templates.md). */
#ifndef MAILSTEAD_CONFIGD_PLAN_H
#define MAILSTEAD_CONFIGD_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include "configd/facts.h"
#include "configd/layout.h"
#include "lib/template/template.h"

typedef enum { PLAN_NONE, PLAN_RELOAD, PLAN_RESTART } plan_action;

typedef struct {
    char *name;          /* below the generation's folder */
    char *source;        /* path of the template */
    bool overridden;
    mode_t mode;
    char *owner, *group;
    template *parsed;
    GHashTable *keys;    /* fact ids it can read */
} plan_file;

typedef struct {
    char *path;          /* below PREFIX */
    char *file;          /* in the folder, or "." */
} plan_link;

typedef struct {
    char *name;
    char **services;             /* NULL: every host */
    char **units;
    plan_action action;
    char **restart_on, **restart_files;
    mode_t mode;
    char *owner, *group;
    char **prepare, **validate;
    char *validate_user;
    unsigned validate_timeout_s, apply_timeout_s;
    bool refuse_stderr;
    char *confirm;
    GPtrArray *files;            /* plan_file */
    GPtrArray *links;            /* plan_link */
    GHashTable *keys;            /* of all files */
    GError *broken;              /* a template that does not parse */
} plan_folder;

typedef struct {
    GPtrArray *folders;          /* plan_folder, in table order */
    GHashTable *lists;           /* key of FILE: -> template */
} plan;

plan *plan_load(const layout *l, GError **error);
void plan_free(plan *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(plan, plan_free)

plan_folder *plan_find(const plan *p, const char *folder);
/* Folders that NAME means: a folder, or a service (mta, amavis, sasl, webxml…
 * are understood as in the guide's system). Free the array only. */
GPtrArray *plan_select(const plan *p, const char *name);

bool plan_folder_wanted(const plan_folder *f, const facts *values);
/* True when an id of CHANGED is read by the folder. */
bool plan_folder_depends(const plan_folder *f, GHashTable *changed);
/* The action for this change: reload becomes restart by restart_on and restart_files. */
plan_action plan_folder_action(const plan_folder *f, GHashTable *changed, const GPtrArray *changed_files);
/* True when any template reads ID. */
bool plan_reads(const plan *p, const char *id);

/* FILE's text for VALUES. */
char *plan_render(const plan *p, const layout *l, const plan_folder *folder, const plan_file *file, const facts *values, GError **error);

#define PLAN_ERROR (plan_error_quark())
GQuark plan_error_quark(void);
enum { PLAN_ERROR_TABLE, PLAN_ERROR_TEMPLATE };

#endif
