/* SPDX-License-Identifier: MIT
 *
 * Random traffic: what is sent through a channel, by select, or put into a queue arrives exactly once, though the tasks
 * at both ends give up again and again.  Every other run has a seeded schedule, the rest the usual one. */
#include "support/support.h"
#include "support/tasks.h"

static void in_many_schedules(bine_fn *fn, int runs)
{
    uint64_t seed = support_seed();
    for (int i = 0; i < runs; i++) {
        uint64_t own = support_random(&seed);
        run_seeded(i % 2 ? own : 0, fn, &own);
    }
}

/* ---- One channel --------------------------------------------------------------------------------------- */

enum { SENDERS = 5, RECEIVERS = 3, SENDS = 150 };

struct channel {
    bine_chan *chan;
    uint64_t seed;
    unsigned char seen[SENDERS * SENDS];
    int arrived, sent, given_up;
};

struct sender {
    struct channel *traffic;
    int number;
};

static bine_ns some_time(struct channel *traffic)
{
    return (bine_ns)(support_random(&traffic->seed) % 4) * BINE_MS;
}

static void *send_all(void *arg)
{
    struct sender *self = arg;
    struct channel *traffic = self->traffic;
    for (int i = 0; i < SENDS; i++) {
        int value = self->number * SENDS + i;
        bool sent = false;
        while (!sent) {
            if (support_random(&traffic->seed) % 8 == 0)
                bine_sleep(some_time(traffic));
            BINE_TIMEOUT(some_time(traffic))
            {
                sent = bine_chan_send(traffic->chan, &value) == 0;
            }
            traffic->given_up += !sent;
        }
        traffic->sent++;
    }
    return NULL;
}

static void *receive_all(void *arg)
{
    struct channel *traffic = arg;
    for (bool end = false; !end;) {
        int value = -1;
        bool got = false;
        BINE_TIMEOUT(some_time(traffic))
        {
            got = bine_chan_recv(traffic->chan, &value) == 0;
            end = !got && errno == EPIPE;
        }
        if (got && expect(value >= 0 && value < SENDERS * SENDS)) {
            expect_int(traffic->seen[value]++, ==, 0);
            traffic->arrived++;
        }
        if (support_random(&traffic->seed) % 8 == 0)
            bine_sleep(some_time(traffic));
    }
    return NULL;
}

static void *use_channel(void *arg)
{
    struct channel traffic = {.seed = *(uint64_t *)arg};
    struct sender parties[SENDERS];
    bine_task *senders[SENDERS], *receivers[RECEIVERS];
    traffic.chan = bine_chan_new(sizeof(int), support_random(&traffic.seed) % 4, NULL);
    for (int i = 0; i < SENDERS; i++) {
        parties[i] = (struct sender){&traffic, i};
        senders[i] = bine_spawn(send_all, &parties[i]);
    }
    for (int i = 0; i < RECEIVERS; i++)
        receivers[i] = bine_spawn(receive_all, &traffic);
    for (int i = 0; i < SENDERS; i++)
        join(senders[i]);
    expect_ok(bine_chan_close(traffic.chan));
    for (int i = 0; i < RECEIVERS; i++)
        join(receivers[i]);
    expect_int(traffic.arrived, ==, SENDERS * SENDS); /* a send that says 0 has sent, any other has not */
    expect_int(traffic.given_up, >, 0);
    expect_ok(bine_chan_free(traffic.chan));
    return NULL;
}

START_TEST(every_value_sent_arrives_once)
{
    in_many_schedules(use_channel, support_slow() ? 3 : 16);
}
END_TEST

/* ---- Select among several ------------------------------------------------------------------------------ */

enum { CHANNELS = 4, PARTIES = 6, STEPS = 150 };

/* Each party does the same: it selects among sends and receives over some of the channels, drawn anew each time, under
 * a short deadline.  What was sent and what was received is counted by value. */
struct channels {
    bine_chan *chans[CHANNELS];
    uint64_t seed;
    unsigned char sent[PARTIES * STEPS], received[PARTIES * STEPS];
    int fired, given_up;
};

struct party {
    struct channels *traffic;
    int number;
};

static void *take_part(void *arg)
{
    struct party *self = arg;
    struct channels *traffic = self->traffic;
    for (int step = 0; step < STEPS; step++) {
        bine_case cases[12];
        int in = self->number * STEPS + step, out[12], chosen = -1;
        size_t n = support_random(&traffic->seed) % 13;
        for (size_t i = 0; i < n; i++) {
            uint64_t random = support_random(&traffic->seed);
            bine_chan *chan = random % 9 ? traffic->chans[random / 9 % CHANNELS] : NULL;
            cases[i] = random >> 32 & 1 ? bine_case_send(chan, &in) : bine_case_recv(chan, &out[i]);
        }
        if (support_random(&traffic->seed) % 4 == 0) {
            chosen = bine_chan_select_try(cases, n);
        } else {
            BINE_TIMEOUT((bine_ns)(1 + support_random(&traffic->seed) % 3) * BINE_MS)
            {
                chosen = bine_chan_select(cases, n);
            }
        }
        if (chosen < 0) {
            traffic->given_up++;
            continue;
        }
        traffic->fired++;
        expect_int(cases[chosen].error, ==, 0);
        if (cases[chosen].sends)
            traffic->sent[in]++;
        else if (expect(out[chosen] >= 0 && out[chosen] < PARTIES * STEPS))
            traffic->received[out[chosen]]++;
        if (support_random(&traffic->seed) % 8 == 0)
            bine_sleep(BINE_MS);
    }
    return NULL;
}

static void *use_channels(void *arg)
{
    struct channels traffic = {.seed = *(uint64_t *)arg};
    struct party parties[PARTIES];
    bine_task *tasks[PARTIES];
    for (int i = 0; i < CHANNELS; i++)
        traffic.chans[i] = bine_chan_new(sizeof(int), i % 2 ? support_random(&traffic.seed) % 4 : 0, NULL);
    for (int i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){&traffic, i};
        tasks[i] = bine_spawn(take_part, &parties[i]);
    }
    for (int i = 0; i < PARTIES; i++)
        join(tasks[i]);
    for (int i = 0; i < CHANNELS; i++) { /* what was sent and nobody took */
        int value;
        while (bine_chan_recv_try(traffic.chans[i], &value) == 0)
            traffic.received[value]++;
    }
    expect_int(traffic.fired, >, 0);
    expect_int(traffic.given_up, >, 0);
    for (int i = 0; i < PARTIES * STEPS; i++) {
        expect_int(traffic.sent[i], <=, 1);
        expect_int(traffic.received[i], ==, traffic.sent[i]);
    }
    for (int i = 0; i < CHANNELS; i++)
        expect_ok(bine_chan_free(traffic.chans[i]));
    return NULL;
}

START_TEST(every_value_sent_by_select_arrives_once)
{
    in_many_schedules(use_channels, support_slow() ? 4 : 30);
}
END_TEST

/* ---- A queue ------------------------------------------------------------------------------------------- */

enum { PRODUCERS = 4, PUTS = 200 };

struct queue {
    bine_queue *queue;
    uint64_t seed;
    bool seen[PRODUCERS * PUTS];
    int arrived, refused;
};

struct producer {
    struct queue *traffic;
    intptr_t number;
};

static void *produce(void *arg)
{
    struct producer *self = arg;
    for (intptr_t i = 0; i < PUTS; i++) {
        bool put = false;
        while (!put) {
            BINE_TIMEOUT((bine_ns)(support_random(&self->traffic->seed) % 4) * BINE_MS)
            {
                put = bine_queue_put(self->traffic->queue, (void *)(self->number * PUTS + i)) == 0;
                self->traffic->refused += !put;
            }
        }
    }
    return NULL;
}

static void *consume(void *arg)
{
    struct queue *traffic = arg;
    for (;;) {
        void *item = NULL;
        bool got = false, end = false;
        BINE_TIMEOUT((bine_ns)(support_random(&traffic->seed) % 4) * BINE_MS)
        {
            got = bine_queue_get(traffic->queue, &item) == 0;
            end = !got && errno == EPIPE;
        }
        if (end)
            return NULL;
        if (got) {
            expect(!traffic->seen[(intptr_t)item]);
            traffic->seen[(intptr_t)item] = true;
            traffic->arrived++;
            if (support_random(&traffic->seed) % 4 == 0)
                bine_sleep(BINE_MS);
            expect_ok(bine_queue_task_done(traffic->queue));
        }
    }
}

static void *use_queue(void *arg)
{
    struct queue traffic = {.seed = *(uint64_t *)arg};
    struct producer producers[PRODUCERS];
    bine_task *tasks[PRODUCERS + 2];
    traffic.queue = bine_queue_new(BINE_QUEUE_FIFO, 3, NULL);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){&traffic, i};
        tasks[i] = bine_spawn(produce, &producers[i]);
    }
    for (int i = PRODUCERS; i < PRODUCERS + 2; i++)
        tasks[i] = bine_spawn(consume, &traffic);
    for (int i = 0; i < PRODUCERS; i++)
        join(tasks[i]);
    expect_ok(bine_queue_join(traffic.queue));
    expect_ok(bine_queue_shutdown(traffic.queue, false));
    for (int i = PRODUCERS; i < PRODUCERS + 2; i++)
        join(tasks[i]);
    expect_int(traffic.arrived, ==, PRODUCERS * PUTS); /* each exactly once, as put said */
    expect_int(traffic.refused, >, 0);
    expect_ok(bine_queue_free(traffic.queue));
    return NULL;
}

START_TEST(every_item_put_arrives_once)
{
    in_many_schedules(use_queue, support_slow() ? 2 : 10);
}
END_TEST

SUPPORT_MAIN("traffic", every_value_sent_arrives_once, every_value_sent_by_select_arrives_once,
             every_item_put_arrives_once)
