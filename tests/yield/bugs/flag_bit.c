/* SPDX-License-Identifier: MIT
 *
 * BUSY is a bit among others; set after the device answered.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"
#include <stdint.h>

#define F_BUSY 0x04u
#define F_ERR 0x80u
typedef struct {
    uint16_t vendor;
    uint16_t flags;
    uint32_t jobs;
} dev_t_;

static dev_t_ dev = {0x1af4, 0x1, 0};
static int begun;
#define IS_BUSY(d) ((d)->flags & F_BUSY)
static void poke(dev_t_ *d)
{
    d->vendor = 0x1af4;
    bine_sleep(BINE_MS); /* SITE gave-up */
}

static void *start(void *arg)
{
    dev_t_ *d = &dev;
    if (IS_BUSY(d)) /* SITE looked */
        return arg;
#ifdef FIXED
    d->flags |= F_BUSY;
    poke(d);
#else
    poke(d);
    d->flags |= F_BUSY; /* SITE wrote acted */
#endif
    begun++;
    return arg;
}

static void *program(void *arg)
{
    both(start, NULL, start, NULL);
    EXPECT(begun == 1);
    return arg;
}
PROGRAM(program)
