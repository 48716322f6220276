/* What a recipient is told, as tables: from the account's status, from a shard's
 * verdict before DATA and from its result after it. */
#ifndef MAILSTEAD_INTAKE_REPLIES_H
#define MAILSTEAD_INTAKE_REPLIES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct { const char *code, *text; } verdict;     /* code: "450 4.2.1"; NULL: accepted */

/* STATUS: zimbraAccountStatus combined with the domain's, as zmauthd gives it. */
verdict verdict_of_account(const char *status);
/* STATUS: a wire_status. The code is never NULL for other than WIRE_OK. */
verdict verdict_of_shard(uint32_t status, bool over_quota_permanent);

#endif
