/* The template language of rendered files (design §4; docs/admin/templates.md):
 * %%attr%% and @@localconfigkey@@ substitution, %%comment%%, %%uncomment%%,
 * %%truefalse%%, %%list%%, %%range%%, %%contains%%, %%explode%%, %%freq%% …, and
 * block conditionals. A missing variable is an error with file, line and key;
 * truth is exactly TRUE/FALSE (yes/no where the attribute's enumeration says). */
#ifndef MAILSTEAD_TEMPLATE_H
#define MAILSTEAD_TEMPLATE_H

#include <glib.h>
#include <stdbool.h>

typedef struct template template;

typedef enum { TEMPLATE_VAR, TEMPLATE_LOCAL, TEMPLATE_SERVICE, TEMPLATE_FILE } template_source;

/* Looks a key up: NULL-terminated values, or NULL when there is none. Borrowed
 * for the render. SERVICE: one value "TRUE" when the service is enabled. */
typedef const char *const *(*template_lookup_fn)(template_source source, const char *key, void *data);

/* NAME stands in errors. TEXT is copied. */
template *template_parse(const char *name, const char *text, GError **error);
template *template_load(const char *path, GError **error);
void template_free(template *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(template, template_free)

/* Rendered text; caller frees. */
char *template_render(const template *t, template_lookup_fn lookup, void *data, GError **error);

/* Every key the template can read: FN for each (source, key) once. This is how
 * zmconfigd knows what depends on a change. */
void template_each_key(const template *t, void (*fn)(template_source, const char *key, void *data), void *data);

#define TEMPLATE_ERROR (template_error_quark())
GQuark template_error_quark(void);
enum { TEMPLATE_ERROR_SYNTAX, TEMPLATE_ERROR_MISSING, TEMPLATE_ERROR_VALUE, TEMPLATE_ERROR_READ };

#endif
