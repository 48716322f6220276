/* ticket_verify on hostile text: only what was issued may pass. */
#include <glib.h>
#include <string.h>
#include "lib/ticket/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[TICKET_KEY_LEN] = { 1 };
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree char *account = NULL;
    uint8_t nonce[TICKET_NONCE_LEN];
    g_assert(ticket_verify(key, sizeof key, text, "imap", 0, &account, nonce, NULL) < 0);
    return 0;
}
