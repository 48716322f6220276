/* Arguments of FETCH and SEARCH, and sections of hostile messages. The input up to
 * the first NUL is a command's arguments, the rest a message. Properties: a section
 * lies inside its message; a plan's label parses to the same label; judging and
 * writing survive whatever the message is. */
#include "agents/store/shard/imap/fetch.h"
#include "agents/store/shard/imap/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int find_tag(const char *keyword, void *data)
{
    return (int) strlen(keyword) % 64;
}

static void check_item(const fetch_item *item, const mime_summary *s, const char *message, size_t len, GStringChunk *strings)
{
    uint64_t offset, size;
    if (item->kind != FETCH_SECTION)
        return;
    if (section_range(item, s, len, &offset, &size)) {
        g_assert(offset <= len && size <= len - offset);
        if (item->fields)
            g_string_free(section_filter(item, message + offset, size), TRUE);
    }
    if (item->partial || !g_str_has_prefix(item->label, "BODY["))
        return;
    imap_cursor c = { .p = item->label, .end = item->label + strlen(item->label), .strings = strings };
    fetch_plan *again = fetch_plan_parse(&c);
    g_assert(again && g_str_equal(((fetch_item *) g_ptr_array_index(again->items, 0))->label, item->label));
    fetch_plan_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *) bytes, *end = memchr(text, 0, len);
    size_t n = end ? (size_t) (end - text) : len;
    const char *message = end ? end + 1 : "";
    size_t message_len = end ? len - n - 1 : 0;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    mime_parser *parser = mime_parser_new(&mime_default_limits);
    mime_parser_feed(parser, message, message_len);
    g_autoptr(mime_summary) s = mime_parser_end(parser);
    imap_cursor c = { .p = text, .end = text + n, .strings = strings };
    fetch_plan *plan = fetch_plan_parse(&c);
    for (guint i = 0; plan && i < plan->items->len; i++)
        check_item(g_ptr_array_index(plan->items, i), s, message, message_len, strings);
    fetch_plan_free(plan);

    const message_record record = { .uid = 7, .flags = MSG_SEEN, .size = (uint32_t) message_len };
    const search_message m = { .record = &record, .number = 3, .bytes = message, .len = message_len, .summary = s };
    const search_context context = { .max_number = 5, .max_uid = 9, .tag = find_tag };
    search_key *key = NULL;
    c = (imap_cursor) { .p = text, .end = text + n, .strings = strings };
    if (search_parse(&c, &context, &key) == SEARCH_OK)
        g_assert(search_match(key, &m) != SEARCH_UNKNOWN);
    search_key_free(key);

    g_autoptr(GString) out = g_string_new(NULL);
    put_structure(out, s->root, true);
    put_envelope(out, &s->envelope);
    return 0;
}
