/* SPDX-License-Identifier: MIT
 *
 * What the demo prints: a line a second, and the sum of it all. */
#include "demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

long demo_resident(void)
{
    long pages = -1;
    FILE *statm = fopen("/proc/self/statm", "r"); /* Linux; blocks, but on no disk */
    if (!statm)
        return -1;
    if (fscanf(statm, "%*d %ld", &pages) != 1)
        pages = -1;
    fclose(statm);
    return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

void demo_look(struct demo_crowd *crowd)
{
    *crowd = (struct demo_crowd){.resident = demo_resident(), .tasks = bine_tasks(NULL, 0)};
    bine_task_info *info = calloc(crowd->tasks, sizeof *info);
    if (!info)
        return;
    size_t n = bine_tasks(info, crowd->tasks);
    for (size_t i = 0; i < n && i < crowd->tasks; i++) {
        if (strcmp(info[i].name, "server") == 0) {
            crowd->servers++;
            crowd->server_stack += info[i].stack_used;
        } else if (strcmp(info[i].name, "client") == 0) {
            crowd->clients++;
            crowd->client_stack += info[i].stack_used;
        }
    }
    free(info);
}

void demo_report_progress(const struct demo *demo, int second)
{
    static uint64_t before;
    printf("%3d s %9" PRIu64 " requests %8" PRIu64 " in this second, %" PRIu64 " errors\n", second,
           demo->requests, demo->requests - before, demo->errors);
    fflush(stdout);
    before = demo->requests;
}

static void print_latency(const struct histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}};
    printf("latency    ");
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        printf("%s%s %.1f ms", i ? ", " : "", shares[i].name,
               (double)histogram_at(h, shares[i].share) / (double)BINE_MS);
    printf("\n");
}

static double kib(size_t bytes, size_t among)
{
    return among ? (double)bytes / (double)among / 1024 : 0;
}

void demo_report(const struct demo *demo, const struct demo_crowd *crowd, long before, bine_ns duration)
{
    double time = (double)duration / (double)BINE_SECOND;
    size_t grown = before > 0 && crowd->resident > before ? (size_t)(crowd->resident - before) : 0;
    double requests = (double)demo->requests;
    bine_statistics stats;
    memset(&stats, 0, sizeof stats);
    bine_stats(&stats);
    printf("\nrequests   %" PRIu64 " in %.2f s, each answer compared with its file byte for byte\n",
           demo->requests, time);
    printf("errors     %" PRIu64 "\n", demo->errors);
    size_t changed = 0;
    for (size_t i = 0; i < demo->files.count; i++)
        changed += demo->files.at[i].changed;
    if (changed > 0)
        printf("changed    %zu files meanwhile, which were then left out\n", changed);
    printf("rate       %.0f requests/s, %.1f MB/s of files\n", requests / time,
           (double)demo->bytes / 1e6 / time);
    print_latency(&demo->latency);
    printf("switches   %" PRIu64 ", %.1f for each request; %" PRIu64 " waits for events\n",
           stats.switches, requests > 0 ? (double)stats.switches / requests : 0, stats.polls);
    printf("tasks      %zu at once: %zu servers, %zu clients\n", crowd->tasks, crowd->servers,
           crowd->clients);
    printf("stacks     %.1f KiB touched by each server task, %.1f by each client\n",
           kib(crowd->server_stack, crowd->servers), kib(crowd->client_stack, crowd->clients));
    if (grown > 0)
        printf("memory     %.1f MiB more than before the start: %.1f KiB a task, buffers and all\n",
               (double)grown / (1 << 20), kib(grown, crowd->tasks));
}
