/* Sliding windows over authentication failures (Guide ch. 12): how many came in
 * the last WINDOW seconds by address and account, by account, by address, and in
 * all. Memory is bounded: at most WINDOWS_MAX_EVENTS failures are remembered; in
 * a flood beyond that the oldest are forgotten early. Pure: time is the caller's. */
#ifndef MAILSTEAD_ALERTS_WINDOWS_H
#define MAILSTEAD_ALERTS_WINDOWS_H

#include <glib.h>

enum { WINDOWS_MAX_EVENTS = 32768, WINDOWS_MAX_KEY = 300 };

typedef enum { WINDOW_IP_ACCOUNT, WINDOW_ACCOUNT, WINDOW_IP, WINDOW_TOTAL, WINDOW_KINDS } window_kind;

typedef struct windows windows;

windows *windows_new(gint64 window_usec);
void windows_free(windows *w);
void windows_set_length(windows *w, gint64 window_usec);

/* A failure at NOW_USEC; times that go backwards count as the latest seen. */
void windows_add(windows *w, const char *ip, const char *account, gint64 now_usec);
/* Forgets what is older than the window. */
void windows_advance(windows *w, gint64 now_usec);
guint windows_count(const windows *w, window_kind kind, const char *key);
/* The key of KIND that a failure counts under; caller frees. "" for the total. */
char *windows_key(window_kind kind, const char *ip, const char *account);

#endif
