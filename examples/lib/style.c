/* SPDX-License-Identifier: MIT
 *
 * How the programs of examples/styles are run: see style.h.
 *
 * What waits here is marked by bine_await() for both styles: in a task of implicit style that costs next to
 * nothing. */
#include "style.h"

#include <bine/check.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "demo.h"

enum { CLIENTS = 20 };

static struct {
    const struct style *style;
    unsigned operations; /* of each client */
    struct histogram latency;
} load;

bine_task *style_spawn(int style, bine_fn *fn, void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.style = style;
    return bine_spawn_with(&attr, fn, arg);
}

int style_all(int style, unsigned n, bine_fn *fn, void *const args[])
{
    bine_task *tasks[CLIENTS] = {NULL};
    int error = n > CLIENTS ? EINVAL : 0;
    for (unsigned i = 0; i < n && !error; i++) {
        tasks[i] = style_spawn(style, fn, args[i]);
        if (!tasks[i])
            error = errno;
    }
    for (unsigned i = 0; i < n && i < CLIENTS; i++) {
        bine_result result = {NULL, 0};
        if (tasks[i] && bine_await(bine_join(tasks[i], &result)) < 0)
            result.error = errno;
        if (result.error && !error)
            error = result.error;
    }
    errno = error;
    return error ? -1 : 0;
}

void style_log(const char *what)
{
    if (getenv("STYLE_LOG"))
        puts(what);
    bine_yield();
}

static void *echo(void *stream)
{
    char line[128];
    while (bine_stream_read_line(stream, line, sizeof line) > 0) {
        if (bine_stream_printf(stream, "%s", line) < 0 || bine_stream_flush(stream) < 0)
            break;
    }
    bine_stream_close(stream);
    return NULL;
}

int style_echo_server(void)
{
    int ends[2];
    if (bine_socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    bine_stream *stream = bine_stream_new(ends[1]);
    bine_task *task = stream ? bine_spawn(echo, stream) : NULL;
    if (!task) {
        bine_close(ends[0]);
        bine_close(ends[1]);
        return -1;
    }
    bine_detach(task);
    return ends[0];
}

/* ---- The load ------------------------------------------------------------------------------------------ */

static void *client(void *number)
{
    for (unsigned i = 0; i < load.operations; i++) {
        bine_ns start = bine_now();
        if (bine_await(load.style->operation((unsigned)(uintptr_t)number)) < 0)
            return bine_fail(errno);
        histogram_add(&load.latency, bine_now() - start);
    }
    return NULL;
}

static void *run_load(void *arg)
{
    void *numbers[CLIENTS];
    for (uintptr_t i = 0; i < CLIENTS; i++)
        numbers[i] = (void *)i;
    if (bine_await(load.style->open()) < 0)
        return bine_fail(errno);
    bine_ns start = bine_now();
    int how = bine_await(style_all(load.style->style, CLIENTS, client, numbers));
    int error = errno;
    double seconds = (double)(bine_now() - start) / (double)BINE_SECOND;
    load.style->close();
    if (how < 0)
        return bine_fail(error);
    printf("%.0f operations/s, median %.1f us, 99%% %.1f us\n", (double)load.latency.total / seconds,
           (double)histogram_at(&load.latency, 0.5) / 1e3, (double)histogram_at(&load.latency, 0.99) / 1e3);
    return arg;
}

int style_main(int argc, char **argv, const struct style *style)
{
    bine_fn *fn = style->scenario;
    load.style = style;
    if (argc == 3 && !strcmp(argv[1], "--load")) {
        long operations = strtol(argv[2], NULL, 10);
        load.operations = (unsigned)(operations / CLIENTS);
        fn = run_load;
    } else if (argc != 1) {
        fprintf(stderr, "usage: %s [--load OPERATIONS]\n", argv[0]);
        return 2;
    }
    bine_result result = {NULL, 0};
    if (bine_run(fn, NULL, &result) < 0)
        result.error = errno;
    if (result.error)
        fprintf(stderr, "%s: %s\n", style->name, result.error == EPROTO ? "WRONG" : strerror(result.error));
    else if (fn == style->scenario)
        printf("%s: right\n", style->name);
    return result.error ? EXIT_FAILURE : EXIT_SUCCESS;
}
