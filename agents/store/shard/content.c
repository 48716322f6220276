/* Folders and pages of a mailbox in memory; see content.h. Operations are in
 * content-apply.c, views in view.c. */
#include "agents/store/shard/content.h"

#include <errno.h>
#include <string.h>

enum { NAME_MAX_BYTES = 1000, NAME_MAX_DEPTH = 32, PART_MAX_BYTES = 255 };

_Static_assert(sizeof(message_record) == 40, "a record is 40 bytes in the page table");
_Static_assert(G_BYTE_ORDER == G_LITTLE_ENDIAN, "pages are stored as they are in memory, little-endian");

/* ---- pages ---- */

page *page_new(uint32_t no)
{
    page *p = g_new0(page, 1);
    p->refs = 1;
    p->no = no;
    return p;
}

page *page_ref(page *p)
{
    g_atomic_int_inc(&p->refs);
    return p;
}

void page_unref(page *p)
{
    if (p && g_atomic_int_dec_and_test(&p->refs))
        g_free(p);
}

/* ---- folders ---- */

folder *folder_new(uint32_t id, const char *name)
{
    folder *f = g_new0(folder, 1);
    f->info.id = id;
    f->info.name = f->name = g_strdup(name);
    f->info.uidnext = 1;
    return f;
}

static void free_pages(folder *f)
{
    if (f->pages)
        g_ptr_array_unref(f->pages);
}

void folder_free(folder *f)
{
    if (!f)
        return;
    folder_view_unref(f->view);
    free_pages(f);
    g_free(f->name);
    g_free(f);
}

/* Index of the first page whose number is >= NO. */
static guint page_index(const folder *f, uint32_t no)
{
    guint low = 0, high = f->pages->len;
    while (low < high) {
        guint mid = (low + high) / 2;
        if (((const page *) f->pages->pdata[mid])->no < no)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

page *folder_page(const folder *f, uint32_t no)
{
    guint i = page_index(f, no);
    return i < f->pages->len && ((page *) f->pages->pdata[i])->no == no ? f->pages->pdata[i] : NULL;
}

void folder_insert_page(folder *f, page *p)
{
    g_ptr_array_insert(f->pages, (gint) page_index(f, p->no), p);
}

const message_record *folder_record(const folder *f, uint32_t uid)
{
    const page *p = uid ? folder_page(f, page_of(uid)) : NULL;
    for (uint32_t i = 0; p && i < p->n; i++)
        if (p->records[i].uid == uid)
            return &p->records[i];
    return NULL;
}

/* ---- the mailbox ---- */

content *content_new(uint64_t id)
{
    content *c = g_new0(content, 1);
    c->mailbox = id;
    c->folders = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    return c;
}

void content_free(content *c)
{
    if (!c)
        return;
    g_ptr_array_unref(c->folders);
    for (unsigned i = 0; i < TAGS; i++)
        g_free(c->tags[i]);
    g_free(c);
}

folder *content_folder(const content *c, uint32_t id)
{
    for (guint i = 0; i < c->folders->len; i++) {
        folder *f = c->folders->pdata[i];
        if (f->info.id == id && !f->removed)
            return f;
    }
    return NULL;
}

folder *content_folder_named(const content *c, const char *name)
{
    for (guint i = 0; i < c->folders->len; i++) {
        folder *f = c->folders->pdata[i];
        if (!f->removed && g_str_equal(f->name, name))
            return f;
    }
    return NULL;
}

void content_insert_folder(content *c, folder *f)
{
    guint i = 0;
    while (i < c->folders->len && strcmp(((folder *) c->folders->pdata[i])->name, f->name) < 0)
        i++;
    g_ptr_array_insert(c->folders, (gint) i, f);
}

/* ---- names ---- */

bool folder_name_below(const char *name, const char *parent)
{
    size_t n = strlen(parent);
    return strncmp(name, parent, n) == 0 && name[n] == '/';
}

static bool part_ok(const char *part)
{
    size_t len = strlen(part);
    if (len == 0 || len > PART_MAX_BYTES)
        return false;
    for (const char *p = part; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return false;
    return true;
}

int folder_name_check(const char *name, char **ret)
{
    if (strlen(name) > NAME_MAX_BYTES || !g_utf8_validate(name, -1, NULL))
        return -EINVAL;
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    guint n = g_strv_length(parts);
    if (n == 0 || n > NAME_MAX_DEPTH)
        return -EINVAL;
    for (guint i = 0; i < n; i++)
        if (!part_ok(parts[i]))
            return -EINVAL;
    char *copy = g_strdup(name);
    if (g_ascii_strcasecmp(parts[0], "INBOX") == 0)
        memcpy(copy, "INBOX", 5);
    *ret = copy;
    return 0;
}
