/* SPDX-License-Identifier: MIT
 *
 * Whoever has asked successfully says that the service is up, which it was said to be already; who says that it is
 * down changes the epoch, too, and whoever asked before that says nothing. */
#include "../corpus.h"

static struct {
    bool up;
    unsigned epoch, asked;
} service = {true, 0, 0};

static void *client(void *arg)
{
    for (int i = 0; i < 4; i++) {
        unsigned epoch = service.epoch;
        if (!service.up && service.asked % 2)
            continue;
        service.asked++;
        bine_sleep(BINE_MS);
        if (service.epoch == epoch)
            service.up = true;
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(client, NULL, client, NULL);
    EXPECT(service.up && service.asked == 8);
    return arg;
}
PROGRAM(program)
