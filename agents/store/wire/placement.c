/* Which shard owns an account: FNV-1a of zimbraId in lower case, modulo the number
 * of shards. Changing it moves mailboxes, so it never changes. */
#include "agents/store/wire/wire.h"

unsigned wire_shard_of(const char *account_id, unsigned count)
{
    uint64_t h = 0xcbf29ce484222325;
    for (const char *p = account_id; *p; p++)
        h = (h ^ (uint8_t) g_ascii_tolower(*p)) * 0x100000001b3;
    return count > 1 ? (unsigned) (h % count) : 0;
}
