/* The attributes and object classes of the directory, as a C table generated at
 * build from schema/ (design §7). Strings meet this table once, at the edge. */
#ifndef MAILSTEAD_SCHEMA_H
#define MAILSTEAD_SCHEMA_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    ATTR_STRING, ATTR_ASTRING, ATTR_CSTRING, ATTR_OSTRING, ATTR_BINARY, ATTR_BOOLEAN, ATTR_INTEGER,
    ATTR_LONG, ATTR_PORT, ATTR_ENUM, ATTR_ID, ATTR_EMAIL, ATTR_EMAILP, ATTR_CS_EMAILP,
    ATTR_DURATION, ATTR_GENTIME, ATTR_PHONE, ATTR_REGEX, ATTR_CERTIFICATE,
} attr_type;

/* Where an attribute may stand and whence it is inherited. */
typedef enum {
    CLASS_ACCOUNT = 1 << 0, CLASS_COS = 1 << 1, CLASS_DOMAIN = 1 << 2, CLASS_SERVER = 1 << 3,
    CLASS_GLOBAL_CONFIG = 1 << 4, CLASS_DISTRIBUTION_LIST = 1 << 5, CLASS_ALIAS = 1 << 6,
    CLASS_CALENDAR_RESOURCE = 1 << 7, CLASS_IDENTITY = 1 << 8, CLASS_SIGNATURE = 1 << 9,
    CLASS_DATA_SOURCE = 1 << 10, CLASS_GROUP = 1 << 11, CLASS_OTHER = 1 << 12,
} attr_class;

typedef enum {
    ATTR_MULTI = 1 << 0,
    ATTR_ACCOUNT_INHERITED = 1 << 1,       /* account -> COS */
    ATTR_DOMAIN_INHERITED = 1 << 2,        /* domain -> global config */
    ATTR_SERVER_INHERITED = 1 << 3,        /* server -> global config */
    ATTR_ACCOUNT_COS_DOMAIN_INHERITED = 1 << 4, /* account -> COS -> domain */
    ATTR_DOMAIN_ADMIN_MODIFIABLE = 1 << 5,
    ATTR_IMMUTABLE = 1 << 6,
    ATTR_SECRET = 1 << 7,                  /* masked in logs and listings */
    ATTR_DEPRECATED = 1 << 8,
    ATTR_STANDARD = 1 << 9,                /* a standard LDAP schema defines it */
    ATTR_ACCOUNT_INFO = 1 << 10,           /* the account's own client is told it */
    ATTR_DOMAIN_INFO = 1 << 11,
    ATTR_IDN = 1 << 12,                    /* holds a domain that may be international */
} attr_flag;

typedef struct {
    const char *name;
    const char *oid;               /* NULL for ATTR_STANDARD */
    attr_type type;
    const char *range;             /* "min=0 max=256 match=REGEX" (each part optional, in this
                                    * order; bounds are of the number, the length in characters
                                    * or the milliseconds); words "a,b,c" of an enum; NULL none */
    unsigned classes;              /* attr_class bits: required or optional */
    unsigned required;             /* attr_class bits where it must be present */
    unsigned flags;                /* attr_flag bits */
    const char *const *global_default;  /* NULL-terminated; NULL none */
    const char *const *cos_default;
    const char *const *external_cos_default;  /* where it differs from cos_default */
    const char *requires_restart;  /* service names, comma separated; NULL none */
    const char *since;             /* release of the interface; NULL: always there */
    const char *deprecated_since;  /* NULL: in use */
    const char *required_in;       /* the classes by their words, comma separated; NULL none */
    const char *optional_in;
} attr_def;

/* Case-insensitive; accepts the other spellings of schema/aliases.tsv, so what
 * goes to the directory is the result's NAME. NULL when unknown. */
const attr_def *schema_attr(const char *name);
/* All attributes in name order. */
const attr_def *schema_attrs(size_t *ret_n);

/* Checks VALUE by type, range and enumeration before LDAP is asked, and gives
 * its stored form (booleans upper-case, byte suffixes k/M/G of long types
 * expanded) in *RET_NORMALISED (caller frees). An empty VALUE (remove) passes.
 * The error names attribute, value and what is allowed. */
bool schema_check_value(const attr_def *attr, const char *value, char **ret_normalised, GError **error);

/* "30d", "2h", "15m", "60s", "500ms" or bare seconds -> milliseconds; -EINVAL. */
gint64 schema_duration_ms(const char *value);

#define SCHEMA_ERROR (schema_error_quark())
GQuark schema_error_quark(void);
enum { SCHEMA_ERROR_UNKNOWN, SCHEMA_ERROR_VALUE };

#endif
