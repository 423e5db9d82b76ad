/* SPDX-License-Identifier: MIT
 *
 * A sheet goes round by channels, from the one who fills it to the one who checks it to the one who files it and back:
 * each writes on it while it has it, and only the neighbours talk to each other. */
#include "../corpus.h"

struct sheet {
    int state, total;
};
enum { BLANK, FILLED, CHECKED };
static bine_chan *blank, *filled, *checked;
static int filed;

static void *fill(void *arg)
{
    struct sheet *sheet;
    for (int i = 0; i < 5; i++) {
        bine_chan_recv(blank, &sheet);
        int before = sheet->total;
        if (sheet->state == BLANK)
            bine_sleep(BINE_MS);
        sheet->total = before + 1;
        sheet->state = FILLED;
        bine_chan_send(filled, &sheet);
    }
    bine_chan_close(filled);
    return arg;
}

static void *check(void *arg)
{
    struct sheet *sheet;
    while (bine_chan_recv(filled, &sheet) == 0) {
        int before = sheet->total;
        if (sheet->state == FILLED)
            bine_sleep(2 * BINE_MS);
        sheet->total = before + 1;
        sheet->state = CHECKED;
        bine_chan_send(checked, &sheet);
    }
    bine_chan_close(checked);
    return arg;
}

static void *file_it(void *arg)
{
    struct sheet *sheet;
    while (bine_chan_recv(checked, &sheet) == 0) {
        int before = sheet->total;
        if (sheet->state == CHECKED)
            bine_sleep(BINE_MS);
        sheet->total = before + 1;
        sheet->state = BLANK;
        filed++;
        bine_chan_send(blank, &sheet);
    }
    return arg;
}

static void *program(void *arg)
{
    static struct sheet sheets[2];
    struct sheet *one = &sheets[0], *other = &sheets[1];
    blank = bine_chan_new(sizeof(struct sheet *), 4, NULL);
    filled = bine_chan_new(sizeof(struct sheet *), 1, NULL);
    checked = bine_chan_new(sizeof(struct sheet *), 1, NULL);
    bine_chan_send(blank, &one);
    bine_chan_send(blank, &other);
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, fill, NULL);
        bine_group_spawn(&group, check, NULL);
        bine_group_spawn(&group, file_it, NULL);
    }
    EXPECT(filed == 5 && one->total + other->total == 15);
    bine_chan_free(blank);
    bine_chan_free(filled);
    bine_chan_free(checked);
    return arg;
}
PROGRAM(program)
