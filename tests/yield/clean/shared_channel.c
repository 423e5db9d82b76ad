/* SPDX-License-Identifier: MIT
 *
 * What another task adds to a sum it says in a channel between loops, where the message lies until it is fetched:
 * whoever has it knows the sum. */
#include "../corpus.h"

static bine_chan *messages;
static int sum;

static void *add(void *arg)
{
    int five = 5;
    sum += five;
    bine_chan_send(messages, &five);
    return arg;
}

static void *program(void *arg)
{
    int before = sum, more = 0;
    messages = bine_chan_new_shared(sizeof(int), 1, NULL);
    bine_task *other = bine_spawn(add, NULL);
    while (bine_chan_length(messages) == 0)
        bine_sleep(BINE_MS);
    bine_chan_recv(messages, &more);
    sum = before + more + 1;
    bine_join(other, NULL);
    bine_chan_free(messages);
    EXPECT(sum == 6);
    return arg;
}
PROGRAM(program)
