/* Records of the redo log and their operations: no input may do harm, and what
 * was read and is written again reads the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/store/shard/op.h"
#include "agents/store/shard/redo-format.h"

static void check_op(op_type type, const void *bytes, size_t len)
{
    op *a = NULL, *b = NULL;
    if (op_decode(type, bytes, len, &a) < 0)
        return;
    g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
    op_encode(a, first);
    if (op_decode(type, first->data, first->len, &b) < 0)
        abort();
    op_encode(b, second);
    if (first->len != second->len || memcmp(first->data, second->data, first->len) != 0)
        abort();
    g_autoptr(GString) text = g_string_new("");
    op_describe(b, text);
    op_free(a);
    op_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    redo_record r;
    if (redo_record_decode(data, size, 0, 0, &r) > 0 && (const uint8_t *) r.payload + r.len > data + size)
        abort();
    if (size > 0)
        check_op(data[0] % OP_TYPES, data + 1, size - 1);
    return 0;
}
