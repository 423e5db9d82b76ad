/* SPDX-License-Identifier: MIT
 *
 * A page that is let go of is saved first, and retired if nobody has pinned it by then.  Its pins and its state
 * share a word: who pins it while it is saved has not changed the state. */
#include "../corpus.h"

struct page {
    unsigned stale : 1, pins : 15, unsaved : 16;
    char text[24];
};
static struct page *shown;
static bool lost;

static void save(struct page *page)
{
    if (page->unsaved)
        bine_sleep(3 * BINE_MS);
    page->unsaved = 0;
}

static void unpin(struct page *page)
{
    if (--page->pins > 0)
        return;
    page->stale = 1;
}

static void *close_it(void *arg)
{
    save(arg);
    unpin(arg);
    return NULL;
}

static void *edit(void *arg)
{
    struct page *page = shown;
    if (page->stale)
        return arg;
    page->pins++;
    bine_sleep(9 * BINE_MS);
    snprintf(page->text, sizeof page->text, "edited");
    lost |= page->stale;
    unpin(page);
    return arg;
}

static void *program(void *arg)
{
    static struct page page = {.pins = 1, .unsaved = 1};
    shown = &page;
    both(close_it, &page, edit, NULL);
    EXPECT(!lost);
    return arg;
}
PROGRAM(program)
