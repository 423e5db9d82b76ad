/* SPDX-License-Identifier: MIT
 *
 * errno belongs to the task: a switch leaves it as it was. */
#include "../corpus.h"

static void *failing(void *arg)
{
    int error = *(int *)arg;
    for (int i = 0; i < 3; i++) {
        errno = error;
        bine_sleep(BINE_MS);
        EXPECT(errno == error);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int error[2] = {ENOENT, EIO};
    both(failing, &error[0], failing, &error[1]);
    return arg;
}
PROGRAM(program)
