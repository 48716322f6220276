/* Calls that do not compile in this tree: each has a bounded or thread-safe
 * sibling named in the message. Included before every source by the Makefile. */
#ifndef MAILSTEAD_BANNED_H
#define MAILSTEAD_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#define strcpy(d, s) banned_strcpy_use_g_strdup
#undef strcat
#define strcat(d, s) banned_strcat_use_g_string
#undef strncpy
#define strncpy(d, s, n) banned_strncpy_use_g_strlcpy
#undef strncat
#define strncat(d, s, n) banned_strncat_use_g_string
#undef sprintf
#define sprintf(...) banned_sprintf_use_g_strdup_printf
#undef vsprintf
#define vsprintf(...) banned_vsprintf_use_g_strdup_vprintf
#undef gets
#define gets(s) banned_gets_use_getline
#undef strtok
#define strtok(s, d) banned_strtok_use_g_strsplit
#undef gmtime
#define gmtime(t) banned_gmtime_use_gmtime_r
#undef localtime
#define localtime(t) banned_localtime_use_localtime_r
#undef ctime
#define ctime(t) banned_ctime_use_strftime
#undef asctime
#define asctime(t) banned_asctime_use_strftime
#undef system
#define system(c) banned_system_use_g_subprocess
#undef atoi
#define atoi(s) banned_atoi_use_g_ascii_string_to_signed
#undef atol
#define atol(s) banned_atol_use_g_ascii_string_to_signed

#endif
