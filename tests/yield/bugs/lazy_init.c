/* SPDX-License-Identifier: MIT
 *
 * Two tasks open the same database, because its flag is set only once opening is done.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static struct {
    bool open;
    int handle;
} db;
static int opened;

static void database(void)
{
#ifdef FIXED
    static bine_once_flag once = BINE_ONCE_INIT;
    extern void open_it(void *);
    bine_once(&once, open_it, NULL);
#else
    if (db.open) /* SITE looked */
        return;
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
    db.handle = ++opened;
    db.open = true; /* SITE wrote acted */
#endif
}

#ifdef FIXED
void open_it(void *);
void open_it(void *arg)
{
    (void)arg;
    bine_sleep(5 * BINE_MS);
    db.handle = ++opened;
    db.open = true;
}
#endif

static void *query(void *arg)
{
    database();
    EXPECT(db.handle > 0);
    return arg;
}

static void *program(void *arg)
{
    both(query, NULL, query, NULL);
    EXPECT(opened == 1);
    return arg;
}
PROGRAM(program)
