/* SPDX-License-Identifier: MIT
 *
 * A timer's callback marks the order as expired while the task that looked at it waits for the payment.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum state { OPEN, EXPIRED, PAID };
static struct order {
    enum state state;
} order = {OPEN};
static bool expired;

static void expire(void *arg)
{
    struct order *o = arg;
    if (o->state == OPEN) {
        o->state = EXPIRED; /* SITE wrote */
        expired = true;
    }
}

static void *pay(void *arg)
{
    struct order *o = arg;
    if (o->state != OPEN) /* SITE looked */
        return NULL;
    bine_sleep(10 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    if (o->state != OPEN)
        return NULL;
#endif
    o->state = PAID; /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    bine_timer timer;
    bine_timer_init(&timer, expire, &order);
    bine_timer_start(&timer, 5 * BINE_MS);
    bine_task *payment = bine_spawn(pay, &order);
    bine_join(payment, NULL);
    bine_timer_cancel(&timer);
    EXPECT(!expired || order.state == EXPIRED);
    return arg;
}
PROGRAM(program)
