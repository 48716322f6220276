/* BER of RFC 4533, by liblber. */
#include "configd/sync.h"

#include <string.h>

/* RFC 4533 §2.2 */
#define MODE_REFRESH_AND_PERSIST 3
/* §2.5: choices of syncInfoValue */
#define TAG_NEW_COOKIE 0x80U
#define TAG_REFRESH_DELETE 0xa1U
#define TAG_REFRESH_PRESENT 0xa2U
#define TAG_ID_SET 0xa3U

bool sync_request_value(const char *cookie, struct berval *ret)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    if (!ber)
        return false;
    int rc = cookie ? ber_printf(ber, "{es}", MODE_REFRESH_AND_PERSIST, cookie)
                    : ber_printf(ber, "{e}", MODE_REFRESH_AND_PERSIST);
    bool ok = rc >= 0 && ber_flatten2(ber, ret, 1) == 0;
    ber_free(ber, 1);
    return ok;
}

/* A reader of VALUE, which must outlive it; NULL when it is empty, which liblber
 * cannot read. */
static BerElement *reader(struct berval *value)
{
    return value->bv_val && value->bv_len ? ber_init(value) : NULL;
}

static char *text_of(const struct berval *v)
{
    return g_strndup(v->bv_val, v->bv_len);
}

bool sync_parse_state(const struct berval *value, sync_state *ret_state, char **ret_cookie)
{
    struct berval copy = *value, uuid, cookie;
    ber_int_t state;
    ber_len_t len;
    BerElement *ber = reader(&copy);
    bool ok = ber && ber_scanf(ber, "{em", &state, &uuid) != LBER_ERROR && state >= SYNC_PRESENT && state <= SYNC_DELETE;
    if (ok) {
        *ret_state = state;
        *ret_cookie = NULL;
        if (ber_peek_tag(ber, &len) == LBER_OCTETSTRING && ber_scanf(ber, "m", &cookie) != LBER_ERROR)
            *ret_cookie = text_of(&cookie);
    }
    ber_free(ber, 1);
    return ok;
}

void sync_info_clear(sync_info *i)
{
    g_clear_pointer(&i->cookie, g_free);
}

/* { cookie OPTIONAL, flag BOOLEAN DEFAULT …, … } */
static bool scan_body(BerElement *ber, sync_info *i, bool *ret_flag)
{
    struct berval cookie;
    ber_int_t flag;
    ber_len_t len;
    if (ber_peek_tag(ber, &len) == LBER_OCTETSTRING) {
        if (ber_scanf(ber, "m", &cookie) == LBER_ERROR)
            return false;
        i->cookie = text_of(&cookie);
    }
    if (ber_peek_tag(ber, &len) == LBER_BOOLEAN) {
        if (ber_scanf(ber, "b", &flag) == LBER_ERROR)
            return false;
        *ret_flag = flag;
    }
    return true;
}

bool sync_parse_info(const struct berval *value, sync_info *ret)
{
    struct berval copy = *value, cookie;
    sync_info i = { 0 };
    ber_len_t len;
    BerElement *ber = reader(&copy);
    bool ok = ber != NULL;
    bool flag;
    ber_tag_t tag = ok ? ber_peek_tag(ber, &len) : LBER_ERROR;

    switch (tag) {
    case TAG_NEW_COOKIE:
        ok = ber_scanf(ber, "m", &cookie) != LBER_ERROR;
        if (ok)
            i.cookie = text_of(&cookie);
        break;
    case TAG_REFRESH_DELETE:
    case TAG_REFRESH_PRESENT:
        flag = true;                       /* refreshDone DEFAULT TRUE */
        ok = ber_scanf(ber, "{") != LBER_ERROR && scan_body(ber, &i, &flag);
        i.refresh_done = flag;
        i.present = tag == TAG_REFRESH_PRESENT;
        break;
    case TAG_ID_SET:
        flag = false;                      /* refreshDeletes DEFAULT FALSE */
        ok = ber_scanf(ber, "{") != LBER_ERROR && scan_body(ber, &i, &flag);
        i.deleted_ids = flag;
        i.present = !flag;
        break;
    default:
        ok = false;
    }
    ber_free(ber, 1);
    if (ok)
        *ret = i;
    else
        sync_info_clear(&i);
    return ok;
}

/* ---- cookies ---- */

/* Server ids are the third part of a CSN: time#count#sid#mod. */
static char *server_of(const char *csn)
{
    g_auto(GStrv) parts = g_strsplit(csn, "#", 4);
    return g_strv_length(parts) == 4 ? g_strdup(parts[2]) : NULL;
}

static char **csns_of(const char *cookie)
{
    const char *csn = cookie ? strstr(cookie, "csn=") : NULL;
    if (!csn)
        return g_new0(char *, 1);
    g_autofree char *list = g_strndup(csn + 4, strcspn(csn + 4, ","));
    return g_strsplit(list, ";", -1);
}

/* server id -> newest CSN */
static GHashTable *by_server(const char *cookie)
{
    GHashTable *t = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) csns = csns_of(cookie);
    for (char **c = csns; *c; c++) {
        g_autofree char *server = server_of(*c);
        const char *known = server ? g_hash_table_lookup(t, server) : NULL;
        if (server && (!known || strcmp(*c, known) > 0))
            g_hash_table_replace(t, g_steal_pointer(&server), g_strdup(*c));
    }
    return t;
}

char *sync_newest_csn(const char *cookie)
{
    g_auto(GStrv) csns = csns_of(cookie);
    const char *newest = NULL;
    for (char **c = csns; *c; c++)
        if (**c && (!newest || strcmp(*c, newest) > 0))
            newest = *c;
    return g_strdup(newest);
}

char *sync_cookie(const char *const *csns)
{
    g_autofree char *list = g_strjoinv(";", (char **) csns);
    return g_strdup_printf("rid=001,csn=%s", list);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char *sync_merge(const char *a, const char *b)
{
    g_auto(GStrv) first = csns_of(a), second = csns_of(b);
    g_autofree char *left = g_strjoinv(";", first), *right = g_strjoinv(";", second);
    g_autofree char *both = g_strdup_printf("csn=%s;%s", left, right);
    g_autoptr(GHashTable) t = by_server(both);
    g_autoptr(GPtrArray) csns = g_ptr_array_new();
    GHashTableIter i;
    gpointer csn;
    g_hash_table_iter_init(&i, t);
    while (g_hash_table_iter_next(&i, NULL, &csn))
        g_ptr_array_add(csns, csn);
    g_ptr_array_sort(csns, by_text);
    g_ptr_array_add(csns, NULL);
    return csns->len > 1 ? sync_cookie((const char *const *) csns->pdata) : NULL;
}

bool sync_is_behind(const char *a, const char *b)
{
    g_autoptr(GHashTable) ours = by_server(a), theirs = by_server(b);
    GHashTableIter i;
    gpointer server, csn;
    g_hash_table_iter_init(&i, theirs);
    while (g_hash_table_iter_next(&i, &server, &csn)) {
        const char *known = g_hash_table_lookup(ours, server);
        if (!known || strcmp(known, csn) < 0)
            return true;
    }
    return false;
}
