/* SPDX-License-Identifier: MIT
 *
 * libev's side of the timer bench: arms and cancels timers while a million others are pending.  "timer": 64 are
 * armed, the clock is looked at, and all are cancelled; "timer-at-once": each is cancelled as soon as it is armed. */
#include <ev.h>

#include "../measure.h"

enum { PENDING = 1000000, OPERATIONS = 4000000, DELAYS = 4096, TOGETHER = 64 };

static void fired(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    abort(); /* nothing may fire while it is measured */
}

int main(void)
{
    static ev_timer pending[PENDING], timer[TOGETHER];
    static double delay[DELAYS];
    uint64_t random = 88172645463325252u;
    struct ev_loop *loop = ev_default_loop(0);
    if (!loop)
        return 1;
    for (int i = 0; i < DELAYS; i++)
        delay[i] = 100.0 + (double)(next_random(&random) % 1000000) / 1000.0;
    for (int i = 0; i < PENDING; i++) {
        ev_timer_init(&pending[i], fired, 100.0 + (double)(next_random(&random) % 1000000) / 1000.0, 0.0);
        ev_timer_start(loop, &pending[i]);
    }
    int64_t start = cpu_now();
    for (int i = 0; i < OPERATIONS; i += TOGETHER) {
        for (int k = 0; k < TOGETHER; k++) {
            ev_timer_init(&timer[k], fired, delay[(i + k) % DELAYS], 0.0);
            ev_timer_start(loop, &timer[k]);
        }
        ev_now_update(loop);
        for (int k = 0; k < TOGETHER; k++)
            ev_timer_stop(loop, &timer[k]);
    }
    figure("timer", (double)(cpu_now() - start) / OPERATIONS, "ns");
    start = cpu_now();
    for (int i = 0; i < OPERATIONS; i++) {
        ev_timer_init(&timer[0], fired, delay[i % DELAYS], 0.0);
        ev_timer_start(loop, &timer[0]);
        ev_timer_stop(loop, &timer[0]);
    }
    figure("timer-at-once", (double)(cpu_now() - start) / OPERATIONS, "ns");
    return 0;
}
