/* What a mailbox contains: folders, their records in pages, keywords; and how an
 * operation changes it. The same code serves the loop (whole mailbox in memory)
 * and the database writer (only the folders and pages a batch touches), so the
 * two cannot come to differ.
 *
 * Page NO of a folder holds the records of uids NO*100+1 .. NO*100+100: a record
 * is found by its uid alone, expunging never moves another one. A page that a
 * view shares is copied before it is changed. */
#ifndef MAILSTEAD_STORE_CONTENT_H
#define MAILSTEAD_STORE_CONTENT_H

#include "agents/store/shard/op.h"

enum { PAGE_RECORDS = 100, FOLDER_ID_FIRST = 256, TAGS = 64 };

typedef struct {
    gint refs;                   /* atomic: views are read in other threads */
    uint32_t no, n;
    bool dirty;                  /* database writer: to be written (n 0: deleted) */
    message_record records[PAGE_RECORDS];
} page;

typedef struct {
    folder_info info;            /* info.name is NAME */
    char *name;
    uint64_t bytes;              /* of its messages */
    uint64_t key;                /* database: folder.key; 0: no row yet */
    GPtrArray *pages;            /* page, ascending; NULL: not in memory, counts only */
    folder_view *view;           /* of this state; NULL: none made yet */
    bool dirty, removed;         /* database writer */
} folder;

typedef struct {
    uint64_t mailbox;
    GPtrArray *folders;          /* folder, by name */
    char *tags[TAGS];
    bool keep_empty;             /* database writer: emptied pages and removed folders stay, marked */
} content;

content *content_new(uint64_t id);
void content_free(content *c);
folder *content_folder(const content *c, uint32_t id);
folder *content_folder_named(const content *c, const char *name);
void content_insert_folder(content *c, folder *f);

folder *folder_new(uint32_t id, const char *name);
void folder_free(folder *f);
page *folder_page(const folder *f, uint32_t no);               /* NULL: none */
void folder_insert_page(folder *f, page *p);
const message_record *folder_record(const folder *f, uint32_t uid);
static inline uint32_t page_of(uint32_t uid) { return (uid - 1) / PAGE_RECORDS; }

page *page_new(uint32_t no);
page *page_ref(page *p);
void page_unref(page *p);

/* Called by content_apply() for what lies outside of folders; all may be NULL. */
typedef struct {
    void (*item_added)(const op *o, const message_record *r, void *data);
    void (*item_copied)(const op *o, const op_copy *k, void *data);
    void (*item_removed)(const op *o, uint32_t item, void *data);
    void (*uids_expunged)(const op *o, const folder *f, void *data);
    void (*tag_added)(const op *o, void *data);
    void *data;
} content_sink;

/* Applies O whole. */
void content_apply(content *c, const op *o, const content_sink *sink);
/* Applies O's part in the records of F alone: for pages that were read at an
 * earlier state than the counts. */
void folder_apply_records(folder *f, const op *o);

/* The view of F (pages in memory), made once per state; borrowed. */
folder_view *folder_current_view(folder *f);

/* Folder names. -EINVAL; *RET (yours) has INBOX in upper case. */
int folder_name_check(const char *name, char **ret);
bool folder_name_below(const char *name, const char *parent);

#endif
