/* What the files of crontab share. */
#ifndef MAILSTEAD_CRONTAB_H
#define MAILSTEAD_CRONTAB_H

#include <glib.h>
#include <stdbool.h>

#define BLOCK_START "# ZIMBRASTART -- DO NOT EDIT ANYTHING BETWEEN THIS LINE AND ZIMBRAEND"
#define BLOCK_END "# ZIMBRAEND -- DO NOT EDIT ANYTHING BETWEEN THIS LINE AND ZIMBRASTART"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

/* The system's entries of this host as Guide appendix C shows them. Those that
 * do not run have a comment above that says why. Caller frees. */
char *block_text(void);
/* The site's own file, "" when there is none; NULL and ERROR when it cannot be
 * read. Caller frees. */
char *site_text(GError **error);

/* TEXT without the block, which must be as block_text() gives it. NULL and ERROR
 * otherwise. Caller frees. */
char *without_block(const char *text, GError **error);
/* Prints what is wrong with TEXT, whose name is NAME; true when nothing is. */
bool text_is_valid(const char *name, const char *text);
/* Replaces the site's file when TEXT is valid. Returns an exit status. */
int install_text(const char *name, const char *text);
/* Has the administrator edit the site's file until it is valid. Returns an exit status. */
int edit_site(void);

#endif
