/* Private: the table of keys. See keys.c. */
#ifndef MAILSTEAD_LOCALCONFIG_KEYS_H
#define MAILSTEAD_LOCALCONFIG_KEYS_H

#include <stddef.h>

enum {
    KEY_SUPPORTED = 1 << 0,     /* meant for administrators: zmlocalconfig -i */
    KEY_PROTECTED = 1 << 1,     /* dangerous to change: zmlocalconfig -f */
};

typedef struct {
    const char *name;
    const char *value;          /* built-in default, NULL none */
    unsigned flags;
} localconfig_key;

typedef struct {
    const char *name;
    const char *key;
} localconfig_alias;

extern const localconfig_key localconfig_keys_table[];
extern const size_t localconfig_keys_count;
extern const localconfig_alias localconfig_alias_table[];
extern const size_t localconfig_alias_count;

/* NULL when unknown; KEY must be a name, not another spelling of it. */
const localconfig_key *localconfig_key_find(const char *key);
/* The one name of KEY: itself unless it is another spelling. */
const char *localconfig_key_name(const char *key);

#endif
