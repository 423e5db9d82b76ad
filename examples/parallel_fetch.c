/* SPDX-License-Identifier: MIT
 *
 * Fetches many URLs at once, and has one deadline for all of them.
 *
 *     parallel_fetch [--timeout SECONDS] URL...        http:// only; 10 seconds by default
 *
 * fetch() knows nothing of the deadline: it stands in one place, around the waiting.  What is not there by
 * then is cancelled: the call that its task waits in fails, and the task tidies up and ends.
 * Exits with 0 if every URL answered with a status below 400. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http.h"
#include "lib/program.h"

enum { PIECE = 16 * 1024 };

struct job {
    const char *url;
    bine_task *task;
    int status;     /* of HTTP */
    int error;      /* an errno value: why there is no status, or no whole body */
    uint64_t bytes; /* of the body */
    bine_ns took;
};

static int receive(struct http_conn *c, struct job *job)
{
    struct http_response response;
    do {
        response = (struct http_response){0};
        if (http_read_response(c, &response) < 0)
            return -1;
        c->start += response.head.at;
    } while (response.status < 200); /* "100 Continue" and the like come before the answer */

    char *piece = malloc(PIECE);
    ssize_t n = -1;
    while (piece && (n = http_read_body(c, &response.body, piece, PIECE)) > 0)
        job->bytes += (uint64_t)n;
    free(piece);
    job->status = response.status;
    return n < 0 ? -1 : 0;
}

static void *fetch(void *arg)
{
    struct job *job = arg;
    char address[HTTP_ADDRESS_SIZE];
    const char *target;
    bine_ns start = bine_now();
    struct http_conn c = {.fd = -1};
    if (!http_split_url(job->url, address, &target))
        job->error = EINVAL;
    else if ((c.fd = bine_dial("tcp", address)) < 0 || http_send_get(&c, address, target) < 0 ||
             receive(&c, job) < 0)
        job->error = errno;
    if (c.fd >= 0)
        bine_close(c.fd);
    http_conn_free(&c);
    job->took = bine_now() - start;
    return NULL;
}

struct program {
    struct job *jobs;
    size_t count;
    bine_ns timeout;
};

static void *fetch_all(void *arg)
{
    struct program *program = arg;
    size_t spawned = 0;
    size_t ended = 0;
    for (; spawned < program->count; spawned++) {
        program->jobs[spawned].task = bine_spawn(fetch, &program->jobs[spawned]);
        if (!program->jobs[spawned].task)
            break;
    }
    int error = spawned < program->count ? errno : 0;

    BINE_TIMEOUT(program->timeout) {
        while (ended < spawned && bine_join(program->jobs[ended].task, NULL) == 0)
            ended++;
    }
    for (; ended < spawned; ended++)
        bine_stop(program->jobs[ended].task, NULL);
    for (size_t i = spawned; i < program->count; i++)
        program->jobs[i].error = error;
    return NULL;
}

static bool report(const struct job *job)
{
    printf("%5d ms  ", (int)(job->took / BINE_MS));
    if (job->error == ECANCELED)
        printf("late: cancelled after %" PRIu64 " bytes", job->bytes);
    else if (job->error)
        printf("failed: %s", strerror(job->error));
    else
        printf("%d, %" PRIu64 " bytes", job->status, job->bytes);
    printf("  %s\n", job->url);
    return job->error == 0 && job->status < 400;
}

int main(int argc, char **argv)
{
    struct program program = {NULL, 0, 10 * BINE_SECOND};
    char **urls = argv + 1;
    if (argc > 2 && strcmp(argv[1], "--timeout") == 0) {
        program.timeout = (bine_ns)(atof(argv[2]) * (double)BINE_SECOND);
        urls += 2;
    }
    while (urls[program.count])
        program.count++;
    program.jobs = calloc(program.count + 1, sizeof *program.jobs);
    if (program.count == 0 || program.timeout <= 0 || !program.jobs) {
        fprintf(stderr, "usage: %s [--timeout SECONDS] URL...\n", argv[0]);
        free(program.jobs);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < program.count; i++)
        program.jobs[i].url = urls[i];

    int how = bine_run(fetch_all, &program, NULL);
    int status = program_end(argv[0], how, 0);
    for (size_t i = 0; how == 0 && i < program.count; i++)
        if (!report(&program.jobs[i]))
            status = EXIT_FAILURE;
    free(program.jobs);
    return status;
}
