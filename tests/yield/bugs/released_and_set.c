/* SPDX-License-Identifier: MIT
 *
 * The route is computed when there is none; the setter lets go of the old one, if there is one, and takes the new.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct route {
    int uses, hops;
};
struct host {
    struct route *route;
    int computed;
    bine_mutex turn;
};

static void release(struct route *route)
{
    if (--route->uses == 0)
        free(route);
}

static struct route *compute(struct host *host)
{
    struct route *route = (struct route *)calloc(1, sizeof *route);
    host->computed++;
    bine_sleep(BINE_MS); /* SITE gave-up */
    route->uses = 1;
    route->hops = host->computed;
    return route;
}

static void set_route(struct host *host, struct route *route)
{
    if (host->route)
        release(host->route);
    host->route = route; /* SITE wrote acted */
}

static void *sender(void *arg)
{
    struct host *host = (struct host *)arg;
#ifdef FIXED
    bine_mutex_lock(&host->turn);
#endif
    if (!host->route) /* SITE looked */
        set_route(host, compute(host));
#ifdef FIXED
    bine_mutex_unlock(&host->turn);
#endif
    return NULL;
}

static void *program(void *arg)
{
    struct host host = {NULL, 0, BINE_MUTEX_INIT};
    both(sender, &host, sender, &host);
    EXPECT(host.computed == 1);
    set_route(&host, NULL);
    return arg;
}
PROGRAM(program)
