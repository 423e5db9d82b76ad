/* SPDX-License-Identifier: MIT
 *
 * The explorer's side in the program: the server that bine-explore(1) talks to, which loop is explored, what
 * was reported.  See explore_share.h for the protocol.
 *
 * Without the tool, BINE_EXPLORE_PATH makes the program itself follow one schedule, under a debugger say. */
#define _GNU_SOURCE
#include "check/explore.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/debug.h"

struct bine__explore bine__explorer;
struct bine_loop *bine__explored_loop;

const char bine__explore_mark[] __attribute__((used)) = BINE__EXPLORE_MARK;

/* ---- The server ---------------------------------------------------------------------------------- */

/* What a run leaves behind for the tool starts empty.  The text and the points are counted, not cleared. */
static void reset(struct bine__explore_share *share)
{
    share->outcome = BINE__EXPLORE_RUNNING;
    share->steps = share->points = share->misfit = share->findings = share->text_used = 0;
    share->ran = share->trimmed = share->outside = share->truncated = false;
    share->descriptors = share->unseen = false;
    share->doing[0] = '\0';
}

static void begin_run(struct bine__explore_share *share)
{
    bine__explorer.process = getpid();
    bine__explorer.share = share;
    bine__explorer.thread = pthread_self();
    bine__explore_choose_begin(&bine__explorer);
}

enum { FDS = 5, LOOKS = 1000 };

static void become_run(struct bine__explore_share *share, const int fd[FDS])
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    dup2(fd[3], STDOUT_FILENO);
    dup2(fd[3], STDERR_FILENO);
    for (int i = 0; i < FDS; i++)
        close(fd[i]);
    unsetenv(BINE__EXPLORE_ENV);
    bine__explore_outside_begin();
    setvbuf(stdout, NULL, _IOLBF, 0); /* what a run that crashes has said is to be seen */
    begin_run(share);
}

static bool say_to_tool(int fd, int value)
{
    return write(fd, &value, sizeof value) == (ssize_t)sizeof value;
}

/* Returns in the children only. */
static void serve(struct bine__explore_share *share, const int fd[FDS])
{
    char command;
    void *frame[2];

    signal(SIGINT, SIG_IGN); /* the tool's to handle; its whole process group may get them */
    signal(SIGTERM, SIG_IGN);
    (void)bine__backtrace(frame, 2); /* loads what it needs once for all runs */
    bine__explore_state_prepare();
    bine__explorer.known =
        mmap(NULL, sizeof *bine__explorer.known, PROT_READ | PROT_WRITE, MAP_SHARED, fd[4], 0);
    if (bine__explorer.known == MAP_FAILED)
        bine__explorer.known = NULL;
    if (!say_to_tool(fd[2], BINE__EXPLORE_HELLO))
        _exit(1);
    while (read(fd[1], &command, 1) == 1) {
        int status;
        reset(share);
        if (ftruncate(fd[3], 0) != 0)
            _exit(1);
        lseek(fd[3], 0, SEEK_SET);
        pid_t pid = fork();
        if (pid == 0) {
            become_run(share, fd);
            return;
        }
        if (pid == -1)
            _exit(1);
        setpgid(pid, pid);
        share->pid = pid;
        while (waitpid(pid, &status, 0) == -1)
            ;
        kill(-pid, SIGKILL); /* what the run has started and left */
        if (!say_to_tool(fd[2], status))
            _exit(1);
    }
    _exit(0);
}

static void attach(const char *env)
{
    int version, fd[FDS];

    if (sscanf(env, "%d:%d:%d:%d:%d:%d", &version, &fd[0], &fd[1], &fd[2], &fd[3], &fd[4]) != FDS + 1 ||
        version != BINE__EXPLORE_VERSION)
        return;
    struct bine__explore_share *share =
        mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0], 0);
    if (share == MAP_FAILED)
        return;
    if (share->magic == BINE__EXPLORE_MAGIC && share->version == BINE__EXPLORE_VERSION)
        serve(share, fd);
}

/* ---- On its own ------------------------------------------------------------------------------------ */

enum { MISUSED = 2, MISFIT = 4 }; /* exits as bine-explore(1) does */
static bool alone;

static void follow(const char *path)
{
    struct bine__explore_share *share =
        mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (share == MAP_FAILED)
        return;
    share->unfair = BINE__EXPLORE_UNFAIR;
    share->max_steps = UINT32_MAX;
    share->patience_ms = UINT32_MAX;
    share->follow = true;
    int picks = bine__explore_parse(share->pick, path);
    if (picks < 0) {
        fprintf(stderr, "bine: %s: not a path: %s\n", BINE__EXPLORE_PATH_ENV, path);
        _exit(MISUSED);
    }
    share->picks = (uint32_t)picks;
    begin_run(share);
    alone = true;
}

/* The tool would have said so.  A shell on the way to the program runs no loop. */
static __attribute__((destructor)) void end(void)
{
    struct bine__explore *explore = &bine__explorer;
    uint64_t unused;
    /* exit() in a task: what it has read since the last switch is noticed here. */
    if (explore->loop && explore->share->merge && getpid() == explore->process)
        (void)bine__explore_look_outside(explore, &unused);
    if (!alone || !explore->share->ran || getpid() != explore->process ||
        explore->next_pick == explore->share->picks)
        return;
    fprintf(stderr, "bine: %s does not fit this program: it ends before point %u\n", BINE__EXPLORE_PATH_ENV,
            explore->share->pick[explore->next_pick].point);
    fflush(NULL);
    _exit(MISFIT);
}

static __attribute__((constructor)) void start(void)
{
    const char *tool = getenv(BINE__EXPLORE_ENV), *path = getenv(BINE__EXPLORE_PATH_ENV);
    if (tool)
        attach(tool);
    else if (path)
        follow(path);
}

/* ---- Loops ------------------------------------------------------------------------------------------- */

static bool here(void)
{
    return bine__explorer.share && getpid() == bine__explorer.process &&
           pthread_equal(pthread_self(), bine__explorer.thread);
}

void bine__explore_open(struct bine_loop *loop)
{
    if (!here() || bine__explorer.loop)
        return;
    loop->virtual_clock = true;
    loop->now = bine__explorer.now;
    loop->watched &= ~(uint32_t)BINE__WATCH_SEED; /* the schedule is the explorer's */
    bine__explorer.loop = bine__explored_loop = loop;
    bine__explorer.share->ran = true;
    bine__explore_outside_count();
    bine__explore_say(&bine__explorer, "%4u %.6f s    a run begins: task 'main'\n", 0,
                      (double)loop->now / 1e9);
}

void bine__explore_close(struct bine_loop *loop)
{
    if (!bine__explored(loop) || !here())
        return;
    bine__explorer.now = loop->now;
    bine__explorer.loop = bine__explored_loop = NULL;
}

void bine__explore_stop(struct bine__explore *explore, enum bine__explore_outcome outcome)
{
    explore->share->outcome = outcome;
    if (alone && outcome == BINE__EXPLORE_MISFIT)
        fprintf(stderr, "bine: %s does not fit this program: at point %u there is another choice\n",
                BINE__EXPLORE_PATH_ENV, explore->share->misfit - 1);
    else if (alone)
        fprintf(stderr, "bine: the schedule ends here\n");
    _exit(alone && outcome == BINE__EXPLORE_MISFIT ? MISFIT : EXIT_FAILURE);
}

/* A program that waits for time to pass by looking at the clock would wait for ever: a thousand looks take a
 * millisecond each. */
void bine__explore_now(struct bine_loop *loop)
{
    struct bine__explore *explore = &bine__explorer;
    bine__explore_need_time(explore, BINE__TIME_ABSOLUTE);
    if (explore->looked_at != loop->now) {
        explore->looked_at = loop->now;
        explore->looks = 0;
    } else if (++explore->looks > LOOKS) {
        explore->looked_at = loop->now += BINE_MS;
    }
}

/* ---- What is found --------------------------------------------------------------------------------- */

static void add_finding(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add_finding(const char *format, ...)
{
    struct bine__explore_share *share = bine__explorer.share;
    if (!here() || share->findings == BINE__EXPLORE_FINDINGS)
        return;
    char *text = share->finding[share->findings++];
    bine__explorer.told = true;
    va_list args;
    va_start(args, format);
    vsnprintf(text, BINE__EXPLORE_FINDING, format, args);
    va_end(args);
    bine__explore_say(&bine__explorer, "%*s! %s\n", BINE__EXPLORE_INDENT, "", text);
}

void bine__explore_report(const bine_report *report)
{
    const char *colon = report->error ? ": " : "", *error = report->error ? strerror(report->error) : "";
    if (report->kind == BINE_REPORT_HOG) /* real time is no matter here */
        return;
    if (report->task)
        add_finding("task %llu '%s' (spawned at %s): %s%s%s", (unsigned long long)report->task, report->name,
                    report->site ? report->site : "?", report->message, colon, error);
    else
        add_finding("%s%s%s", report->message, colon, error);
}

/* Those that begin with a report are known already. */
void bine__explore_finding(const char *kind, const char *summary)
{
    static const char *const reports[] = {"LOST-ERROR", "TASK-LEFT-BEHIND", "STUCK", "YIELD-IN-ATOMIC",
                                          "INVARIANT"};
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        if (strcmp(reports[i], kind) == 0)
            return;
    add_finding("%s: %s", kind, summary);
}
