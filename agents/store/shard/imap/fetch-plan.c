/* FETCH's arguments (RFC 9051 §6.4.5; RFC 3501 for RFC822 and the macros). */
#include "agents/store/shard/imap/fetch.h"

enum { MAX_ITEMS = 200, MAX_NUMBERS = 50, MAX_FIELDS = 200, MAX_FIELD_NAME = 200 };

static void item_free(void *p)
{
    fetch_item *item = p;
    g_clear_pointer(&item->numbers, g_array_unref);
    g_clear_pointer(&item->fields, g_ptr_array_unref);
    g_free(item->label);
    g_free(item);
}

static fetch_item *add_item(fetch_plan *p, fetch_kind kind)
{
    fetch_item *item = g_new0(fetch_item, 1);
    item->kind = kind;
    g_ptr_array_add(p->items, item);
    return item;
}

void fetch_plan_want(fetch_plan *p, fetch_kind kind)
{
    for (guint i = 0; i < p->items->len; i++)
        if (((fetch_item *) g_ptr_array_index(p->items, i))->kind == kind)
            return;
    add_item(p, kind);
}

/* ---- sections ---- */

static bool take_fields(imap_cursor *args, fetch_item *item)
{
    item->fields = g_ptr_array_new_with_free_func(g_free);
    if (!imap_take(args, ' ') || !imap_take(args, '('))
        return false;
    do {
        const char *name = imap_astring(args);
        if (!name || item->fields->len >= MAX_FIELDS || strlen(name) > MAX_FIELD_NAME)
            return false;
        g_ptr_array_add(item->fields, g_strdup(name));
    } while (imap_take(args, ' '));
    return imap_take(args, ')');
}

static bool take_section_text(imap_cursor *args, fetch_item *item)
{
    static const struct { const char *word; section_kind section; } words[] = {
        { "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT }, { "HEADER.FIELDS", SECTION_FIELDS }, { "HEADER", SECTION_HEADER },
        { "TEXT", SECTION_TEXT }, { "MIME", SECTION_MIME },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (imap_take_word(args, words[i].word)) {
            item->section = words[i].section;
            bool fields = item->section == SECTION_FIELDS || item->section == SECTION_FIELDS_NOT;
            bool lonely = item->section == SECTION_MIME && item->numbers->len == 0;
            return !lonely && (!fields || take_fields(args, item));
        }
    return false;
}

static bool take_numbers(imap_cursor *args, fetch_item *item)
{
    while (args->p < args->end && g_ascii_isdigit(*args->p)) {
        uint32_t n;
        if (!imap_number(args, &n) || n == 0 || item->numbers->len >= MAX_NUMBERS)
            return false;
        g_array_append_val(item->numbers, n);
        if (!imap_take(args, '.'))
            return imap_next_is(args, ']');
    }
    return item->numbers->len == 0 || !imap_next_is(args, ']');   /* "1." wants more */
}

static bool take_partial(imap_cursor *args, fetch_item *item)
{
    item->partial = imap_take(args, '<');
    return !item->partial || (imap_number(args, &item->start) && imap_take(args, '.') && imap_number(args, &item->count) &&
                              item->count > 0 && imap_take(args, '>'));
}

/* "[section]<partial>" after BODY or BODY.PEEK. */
static bool take_section(imap_cursor *args, fetch_item *item)
{
    item->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (!imap_take(args, '[') || !take_numbers(args, item))
        return false;
    if (!imap_next_is(args, ']') && !take_section_text(args, item))
        return false;
    return imap_take(args, ']') && take_partial(args, item);
}

static char *label_of(const fetch_item *item)
{
    static const char *const words[] = {
        [SECTION_ALL] = "", [SECTION_HEADER] = "HEADER", [SECTION_FIELDS] = "HEADER.FIELDS",
        [SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT", [SECTION_TEXT] = "TEXT", [SECTION_MIME] = "MIME",
    };
    GString *label = g_string_new("BODY[");
    for (guint i = 0; i < item->numbers->len; i++)
        g_string_append_printf(label, i ? ".%u" : "%u", g_array_index(item->numbers, uint32_t, i));
    if (item->numbers->len > 0 && *words[item->section])
        g_string_append_c(label, '.');
    g_string_append(label, words[item->section]);
    for (guint i = 0; item->fields && i < item->fields->len; i++) {
        g_string_append(label, i ? " " : " (");
        imap_put_astring(label, g_ptr_array_index(item->fields, i));
    }
    g_string_append(label, item->fields ? ")]" : "]");
    if (item->partial)
        g_string_append_printf(label, "<%u>", item->start);
    return g_string_free(label, FALSE);
}

/* ---- items ---- */

static bool take_body(imap_cursor *args, fetch_plan *p, bool peek)
{
    if (!peek && !imap_next_is(args, '[')) {
        add_item(p, FETCH_BODY);
        return true;
    }
    fetch_item *item = add_item(p, FETCH_SECTION);
    item->peek = peek;
    if (!take_section(args, item))
        return false;
    item->label = label_of(item);
    return true;
}

static void add_rfc822(fetch_plan *p, section_kind section, bool peek, const char *label)
{
    fetch_item *item = add_item(p, FETCH_SECTION);
    item->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    item->section = section;
    item->peek = peek;
    item->label = g_strdup(label);
}

static bool take_item(imap_cursor *args, fetch_plan *p)
{
    static const struct { const char *word; fetch_kind kind; } plain[] = {
        { "FLAGS", FETCH_FLAGS }, { "UID", FETCH_UID }, { "INTERNALDATE", FETCH_DATE }, { "RFC822.SIZE", FETCH_SIZE },
        { "ENVELOPE", FETCH_ENVELOPE }, { "BODYSTRUCTURE", FETCH_BODYSTRUCTURE },
    };
    if (p->items->len >= MAX_ITEMS)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (imap_take_word(args, plain[i].word)) {
            add_item(p, plain[i].kind);
            return true;
        }
    if (imap_take_word(args, "BODY.PEEK"))
        return take_body(args, p, true);
    if (imap_take_word(args, "BODY"))
        return take_body(args, p, false);
    if (imap_take_word(args, "RFC822.HEADER"))
        add_rfc822(p, SECTION_HEADER, true, "RFC822.HEADER");
    else if (imap_take_word(args, "RFC822.TEXT"))
        add_rfc822(p, SECTION_TEXT, false, "RFC822.TEXT");
    else if (imap_take_word(args, "RFC822"))
        add_rfc822(p, SECTION_ALL, false, "RFC822");
    else
        return false;
    return true;
}

static bool take_macro(imap_cursor *args, fetch_plan *p)
{
    static const struct { const char *word; unsigned n; } macros[] = { { "FAST", 3 }, { "ALL", 4 }, { "FULL", 5 } };
    static const fetch_kind kinds[] = { FETCH_FLAGS, FETCH_DATE, FETCH_SIZE, FETCH_ENVELOPE, FETCH_BODY };
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++)
        if (imap_take_word(args, macros[i].word)) {
            for (unsigned k = 0; k < macros[i].n; k++)
                add_item(p, kinds[k]);
            return true;
        }
    return false;
}

static void derive(fetch_plan *p)
{
    for (guint i = 0; i < p->items->len; i++) {
        const fetch_item *item = g_ptr_array_index(p->items, i);
        bool section = item->kind == FETCH_SECTION;
        bool whole = section && item->section == SECTION_ALL && item->numbers->len == 0;
        p->needs_blob = p->needs_blob || section;
        p->needs_summary = p->needs_summary || (section && !whole) ||
                           item->kind == FETCH_ENVELOPE || item->kind == FETCH_BODY || item->kind == FETCH_BODYSTRUCTURE;
        p->sets_seen = p->sets_seen || (section && !item->peek);
        p->has_flags = p->has_flags || item->kind == FETCH_FLAGS;
        p->has_uid = p->has_uid || item->kind == FETCH_UID;
    }
}

static bool take_items(imap_cursor *args, fetch_plan *p)
{
    if (!imap_take(args, '('))
        return take_macro(args, p) || take_item(args, p);
    do {
        if (!take_item(args, p))
            return false;
    } while (imap_take(args, ' '));
    return imap_take(args, ')');
}

fetch_plan *fetch_plan_parse(imap_cursor *args)
{
    fetch_plan *p = g_new0(fetch_plan, 1);
    p->items = g_ptr_array_new_with_free_func(item_free);
    if (!take_items(args, p) || !imap_at_end(args)) {
        fetch_plan_free(p);
        return NULL;
    }
    derive(p);
    return p;
}

void fetch_plan_free(fetch_plan *p)
{
    if (!p)
        return;
    g_ptr_array_unref(p->items);
    g_free(p);
}
