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

    switch (ok ? ber_peek_tag(ber, &len) : LBER_ERROR) {
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
        break;
    case TAG_ID_SET:
        flag = false;                      /* refreshDeletes DEFAULT FALSE */
        ok = ber_scanf(ber, "{") != LBER_ERROR && scan_body(ber, &i, &flag);
        i.deleted_ids = flag;
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

char *sync_newest_csn(const char *cookie)
{
    const char *csn = strstr(cookie, "csn=");
    if (!csn)
        return NULL;
    g_autofree char *list = g_strndup(csn + 4, strcspn(csn + 4, ","));
    g_auto(GStrv) csns = g_strsplit(list, ";", -1);
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
