/* SPDX-License-Identifier: MIT
 *
 * How far the others are is shown by a task that only reads. */
#include "../corpus.h"

static struct {
    int done, failed;
    long bytes;
} progress;
static bool over;
static long shown;

static void *download(void *arg)
{
    for (int i = 0; i < 10; i++) {
        bine_sleep(*(bine_ns *)arg);
        progress.bytes += 100;
    }
    progress.done++;
    return NULL;
}

static void *display(void *arg)
{
    while (!over) {
        shown = progress.bytes;
        printf("%ld bytes, ", progress.bytes);
        bine_sleep(3 * BINE_MS);
        printf("%d done, %d failed\n", progress.done, progress.failed);
    }
    return arg;
}

static void *program(void *arg)
{
    static bine_ns pace[2] = {BINE_MS, 2 * BINE_MS};
    bine_task *d = bine_spawn(display, NULL);
    both(download, &pace[0], download, &pace[1]);
    over = true;
    bine_join(d, NULL);
    EXPECT(progress.bytes == 2000 && shown >= 0);
    return arg;
}
PROGRAM(program)
