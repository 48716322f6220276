/* Hosts that may deliver, by name (lmtp_hosts): looked up in a thread, never in the
 * loop. What is not known yet is refused for now, and looked up for the next time. */
#ifndef MAILSTEAD_LOGIN_HOSTS_H
#define MAILSTEAD_LOGIN_HOSTS_H

#include <glib.h>
#include <stdbool.h>

typedef struct hosts hosts;
hosts *hosts_new(const char *const *names);
void hosts_free(hosts *h);
/* True when ADDRESS (numeric) is one of theirs, as last looked up. */
bool hosts_have(hosts *h, const char *address);

#endif
