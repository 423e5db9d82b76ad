/* SPDX-License-Identifier: MIT
 *
 * Messages at intervals, beside a search that keeps the processor busy.
 *
 *     repetitive_message [--virtual] [DIGITS [SECONDS]]
 *
 * The search looks for the first prime with DIGITS (13) digits in the Lucas sequence 2, 1, 3, 4, 7, 11 ...
 * It never waits for anything, so it says now and then that others may run: bine_yield().  A task that
 * waits, as repetitive_message() does, needs no such thing.  After SECONDS (2.5) the messages are stopped.
 * With --virtual time jumps as soon as nothing is left to compute. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/program.h"

/* Divisions between two yields: some ten microseconds. */
enum { DIVISIONS_A_TURN = 1000 };

static bine_ns start;

static void say(const char *what)
{
    bine_ns ms = (bine_now() - start) / BINE_MS;
    printf("%d.%03d %s\n", (int)(ms / 1000), (int)(ms % 1000), what);
}

struct message {
    const char *text;
    bine_ns interval;
};

static void *repetitive_message(void *arg)
{
    const struct message *message = arg;
    do
        say(message->text);
    while (bine_sleep(message->interval) == 0);
    return NULL; /* cancelled: as it was meant to end */
}

/* 1: prime, 0: not, -1: cancelled meanwhile. */
static int is_prime(uint64_t n)
{
    unsigned divisions = 0;
    if (n < 4 || n % 2 == 0)
        return n == 2 || n == 3;
    for (uint64_t d = 3; d <= n / d; d += 2) {
        if (n % d == 0)
            return 0;
        if (++divisions % DIVISIONS_A_TURN == 0 && bine_yield() < 0)
            return -1;
    }
    return 1;
}

static unsigned count_digits(uint64_t n)
{
    unsigned digits = 1;
    while (n >= 10) {
        n /= 10;
        digits++;
    }
    return digits;
}

static uint64_t found;

static void *search(void *arg)
{
    unsigned digits = *(const unsigned *)arg;
    uint64_t item = 2;
    uint64_t next = 1;
    while (count_digits(item) <= digits) {
        int prime = count_digits(item) == digits ? is_prime(item) : 0;
        if (prime < 0)
            return bine_fail(errno);
        if (prime) {
            found = item;
            return &found;
        }
        uint64_t sum = item + next;
        item = next;
        next = sum;
    }
    return bine_fail(ENOENT);
}

struct program {
    unsigned digits;
    bine_ns duration;
};

static void *run(void *arg)
{
    struct program *program = arg;
    static struct message tick = {"tick", BINE_SECOND};
    static struct message tock = {"tock", 700 * BINE_MS};
    bine_result result = {NULL, 0};
    start = bine_now();
    bine_task *ticking = bine_spawn(repetitive_message, &tick);
    bine_task *tocking = bine_spawn(repetitive_message, &tock);
    bine_task *searching = bine_spawn(search, &program->digits);
    if (!ticking || !tocking || !searching)
        return bine_fail(errno); /* what was spawned is cancelled when the run ends */

    if (bine_join(searching, &result) < 0)
        return bine_fail(errno);
    char line[64];
    if (result.error)
        snprintf(line, sizeof line, "found none: %s", strerror(result.error));
    else
        snprintf(line, sizeof line, "found %" PRIu64, *(uint64_t *)result.value);
    say(line);

    int slept = bine_sleep_until(start + program->duration);
    int error = slept < 0 ? errno : result.error;
    if (bine_stop(ticking, NULL) < 0 || bine_stop(tocking, NULL) < 0)
        error = errno;
    return error ? bine_fail(error) : NULL;
}

int main(int argc, char **argv)
{
    bine_options options = BINE_OPTIONS_INIT;
    options.virtual_clock = argc > 1 && strcmp(argv[1], "--virtual") == 0;
    char **rest = argv + 1 + options.virtual_clock;
    struct program program = {13, 5 * BINE_SECOND / 2};
    if (rest[0]) {
        program.digits = (unsigned)atoi(rest[0]);
        if (rest[1])
            program.duration = (bine_ns)(atof(rest[1]) * (double)BINE_SECOND);
    }
    if (program.digits < 1 || program.digits > 18 || program.duration < 0) {
        fprintf(stderr, "usage: %s [--virtual] [DIGITS [SECONDS]]\n", argv[0]);
        return EXIT_FAILURE;
    }
    bine_result result = {NULL, 0};
    int how = bine_run_with(&options, run, &program, &result);
    return program_end(argv[0], how, result.error);
}
