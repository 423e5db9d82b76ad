/* SPDX-License-Identifier: MIT
 *
 * A document is replaced if its digest is as expected (ETag); the disk is written in between.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct doc {
    unsigned char tag[8];
    char text[32];
};

static struct doc *doc;
static int puts_;

static void disk(void)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
}

static int put(struct doc *d, const unsigned char *if_match, const char *text)
{
    if (memcmp(d->tag, if_match, sizeof d->tag)) /* SITE looked */
        return 412;
#ifndef FIXED
    disk();
#endif
    snprintf(d->text, sizeof d->text, "%s", text);
    memset(d->tag, text[0], sizeof d->tag); /* SITE wrote acted */
    puts_++;
#ifdef FIXED
    disk();
#endif
    return 200;
}

static void *editor(void *text)
{
    static const unsigned char z[8];
    put(doc, z, text);
    return NULL;
}

static void *program(void *arg)
{
    static char a[] = "anna", b[] = "bert";
    doc = calloc(1, sizeof *doc);
    both(editor, a, editor, b);
    EXPECT(puts_ == 1);
    free(doc);
    return arg;
}
PROGRAM(program)
