/* SPDX-License-Identifier: MIT
 *
 * Made once, by whoever comes first; the others wait. */
#include "../corpus.h"

static bine_once_flag flag = BINE_ONCE_INIT;
static struct {
    int port, made;
} config;

static void load(void *arg)
{
    (void)arg;
    bine_sleep(5 * BINE_MS);
    config.port = 80;
    config.made++;
}

static void *user(void *arg)
{
    bine_once(&flag, load, NULL);
    EXPECT(config.port == 80);
    return arg;
}

static void *program(void *arg)
{
    both(user, NULL, user, NULL);
    EXPECT(config.made == 1);
    return arg;
}
PROGRAM(program)
