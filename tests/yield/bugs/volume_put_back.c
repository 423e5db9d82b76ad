/* SPDX-License-Identifier: MIT
 *
 * For an announcement the volume is turned up, and put back to what it was, although it was changed meanwhile.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static struct {
    int volume, track;
} player = {40, 1};

static void *announce(void *arg)
{
    int before = player.volume; /* SITE looked */
    player.volume = 80;
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    if (player.volume != 80)
        return arg;
#endif
    player.volume = before; /* SITE acted */
    return arg;
}

static void *knob(void *arg)
{
    bine_sleep(BINE_MS);
    player.volume = 25; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(announce, NULL, knob, NULL);
    EXPECT(player.volume == 25);
    return arg;
}
PROGRAM(program)
