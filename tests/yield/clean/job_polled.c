/* SPDX-License-Identifier: MIT
 *
 * A job on the stack is handed to a worker; its owner polls until it is done and takes the answer. */
#include "../corpus.h"

struct job {
    int in, out;
    bool done;
    struct job *next;
};

static struct job *todo;
static bool over;

static void *worker(void *arg)
{
    while (!over) {
        struct job *j = todo;
        if (j) {
            todo = j->next;
            bine_sleep(BINE_MS);
            j->out = j->in * 2;
            j->done = true;
        } else {
            bine_sleep(BINE_MS / 2);
        }
    }
    return arg;
}

static void *client(void *arg)
{
    for (int i = 1; i < 4; i++) {
        struct job j = {i, -1, false, todo};
        todo = &j;
        while (!j.done)
            bine_sleep(BINE_MS / 2);
        EXPECT(j.out == 2 * i);
    }
    return arg;
}

static void *clients(void *arg)
{
    both(client, NULL, client, NULL);
    over = true;
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, clients, NULL);
    return arg;
}
PROGRAM(program)
