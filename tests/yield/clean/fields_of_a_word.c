/* SPDX-License-Identifier: MIT
 *
 * A display's settings share a word; each is one task's, which reads it, asks the panel, and sets it. */
#include "../corpus.h"

static struct {
    unsigned hue : 5, tint : 5, zoom : 6, page : 10, lit : 6;
} panel;

static void ask(void) { bine_sleep(BINE_MS); }

static void *brighten(void *arg)
{
    for (int i = 0; i < 3; i++) {
        unsigned now = panel.hue;
        ask();
        panel.hue = now + 6;
    }
    return arg;
}

static void *turn(void *arg)
{
    for (int i = 0; i < 4; i++) {
        unsigned now = panel.page;
        ask();
        panel.page = now + 200;
        ask();
        EXPECT(panel.page == now + 200);
    }
    return arg;
}

static void *magnify(void *arg)
{
    while (panel.zoom < 20) {
        ask();
        panel.zoom += 5;
    }
    return arg;
}

static void *tone(void *arg)
{
    for (unsigned i = 1; i < 5; i++) {
        unsigned was = panel.tint;
        ask();
        panel.tint = was + i;
    }
    return arg;
}

static void *program(void *arg)
{
    bine_result ignored;
    bine_task *third = bine_spawn(magnify, NULL), *fourth = bine_spawn(tone, NULL);
    both(brighten, NULL, turn, NULL);
    bine_join(third, &ignored);
    bine_join(fourth, &ignored);
    EXPECT(panel.hue == 18 && panel.tint == 10 && panel.zoom == 20 && panel.page == 800 && panel.lit == 0);
    return arg;
}
PROGRAM(program)
