/* Private parts of lib/template: the tree a template is parsed into. */
#ifndef MAILSTEAD_TEMPLATE_INTERNAL_H
#define MAILSTEAD_TEMPLATE_INTERNAL_H

#include "lib/template/template.h"

#define TEMPLATE_MAX_NESTING 32
#define TEMPLATE_MAX_BYTES (8 * 1024 * 1024)   /* of a template and of a result */

typedef struct {
    template_source source;
    bool any;          /* %%name%%: VAR, else LOCAL */
    bool negate;
    char *key;
    char *fallback;    /* NULL: a missing value is an error */
} key_ref;

/* A target syntax: what an unquoted value may not contain, and how to quote. */
typedef struct {
    const char *name;
    const char *refused;                                /* besides control characters */
    bool (*quote)(const char *value, GString *out);     /* false: cannot be quoted */
} target_syntax;

const target_syntax *target_syntax_find(const char *name);
extern const target_syntax target_syntax_plain;
/* The first character of VALUE that may not stand unquoted, 0 when none. */
char target_syntax_offending(const target_syntax *syntax, const char *value);

typedef struct node node;
typedef struct directive directive;

/* A text that may hold substitutions. */
typedef GPtrArray text;   /* of node* */

typedef enum { TEST_TRUE, TEST_SET, TEST_EQUAL } test_kind;

typedef struct {
    test_kind test;
    key_ref key;
    char *equal;       /* TEST_EQUAL */
    unsigned line;
    bool otherwise;    /* else: no test */
    text *body;
} branch;

struct node {
    enum { NODE_TEXT, NODE_CALL, NODE_BLOCK } kind;
    unsigned line;
    GString *literal;                   /* NODE_TEXT */
    GPtrArray *branches;                /* NODE_BLOCK: branch* */
    const directive *call;              /* NODE_CALL */
    key_ref key;
    const target_syntax *syntax;        /* what unquoted values must suit */
    const target_syntax *quoting;       /* quote, quotelist */
    GPtrArray *args;                    /* text*: the directive's texts */
    char **set;                         /* comment, uncomment: values; NULL none */
    double low, high;                   /* range, freq */
};

struct template {
    char *name;
    text *body;
};

/* One render under way. */
typedef struct {
    const template *t;
    template_lookup_fn lookup;
    void *data;
    GString *out;
} render;

/* ---- directives ---- */

struct directive {
    const char *name;
    bool whole_line;   /* must be alone on its line and writes its own line ends */
    bool any_source;   /* no T: before the key */
    /* Reads REST (all after the name) into N; TEXTS parses a text argument. */
    bool (*parse)(const template *t, node *n, const char *rest, GError **error);
    bool (*eval)(render *r, const node *n, GString *out, GError **error);
};

const directive *directive_find(const char *word);
extern const directive directive_substitute, directive_local;

/* ---- shared between the files ---- */

/* Reads "[!]T:[!]key[|default]" up to one of STOP or the end; *POS moves on. */
bool key_ref_parse(const template *t, unsigned line, const char **pos, const char *stop, key_ref *ret, GError **error);
void key_ref_clear(key_ref *k);
/* A text argument with substitutions inside; NULL on error. */
text *text_parse(const template *t, unsigned line, const char *s, gsize len, const target_syntax *syntax, GError **error);
void node_free(node *n);
bool text_eval(render *r, const text *body, GString *out, GError **error);
/* The values of K, its default applied; NULL with error when missing. *RET_OWNED
 * keeps a default's array alive. */
const char *const *key_values(render *r, unsigned line, const key_ref *k, const char *(*ret_default)[2], GError **error);
/* Same without default and without error. */
const char *const *key_peek(render *r, const key_ref *k);
bool key_truth(render *r, unsigned line, const key_ref *k, bool *ret, GError **error);

void template_set_error(const template *t, unsigned line, int code, GError **error, const char *format, ...) G_GNUC_PRINTF(5, 6);

#endif
