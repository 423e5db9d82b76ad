/* SPDX-License-Identifier: MIT
 *
 * Child processes: started on a thread of the pool (launch.c), awaited by a pidfd.
 *
 * A child is waited for by its number, with waitpid(), and only here, so the number stays its own until `ended`
 * is set.  Whoever finds the pidfd readable asks; the first one has the status, and keeps it for the others:
 * a pidfd stays readable.  Where the kernel has none, each waiter takes a thread of the pool, which may hang.
 *
 * A child that is given up has a task that waits for it, so that there are no zombies; what is left of these
 * when the run ends is on a list, which is looked through whenever another child is started. */
#define _GNU_SOURCE
#include <bine/process.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/io.h"
#include "io/launch.h"
#include "io/offload.h"
#include "runtime/runtime.h"

enum { PROCESS_MAGIC = 0x70726f63, STREAMS = 3 };

extern char **environ;

struct bine_process {
    uint32_t magic;
    struct bine_loop *loop;
    struct bine_process *next; /* among the orphans */
    pid_t pid;
    int pidfd; /* -1: the kernel has none */
    bool group;
    bool ended;
    int error;  /* why nobody knows how: ECHILD */
    int status; /* as waitpid(2) tells it */
    unsigned waiting;
};

/* ---- Start ----------------------------------------------------------------------------------------------- */

struct start {
    struct bine__job job; /* first */
    struct bine__launch launch;
    int error;
};

static void run(struct bine__job *job)
{
    struct start *start = (struct start *)(void *)job;

    start->error = bine__launch(&start->launch);
}

/* The child's ends, which are closed here when it has them, and ours. */
struct streams {
    int child[STREAMS], ours[STREAMS];
};

static void close_all(int fds[STREAMS])
{
    for (int i = 0; i < STREAMS; i++)
        if (fds[i] != -1)
            bine_close(fds[i]);
}

/* -1 with errno. */
static int open_pipe(struct streams *streams, int i)
{
    const int mine = i == STDIN_FILENO ? 1 : 0;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    bine__fd_fresh(ends[0], BINE__KIND_POLLABLE);
    bine__fd_fresh(ends[1], BINE__KIND_POLLABLE);
    streams->ours[i] = ends[mine];
    streams->child[i] = ends[!mine];
    /* Ours alone: the other end is another open file. */
    struct bine__fd *slot = bine__fd_get(bine__loop->io, ends[mine]);
    return slot ? bine__set_nonblock(ends[mine], slot) : -1;
}

/* -1 with errno; streams is good for close_all() in any case. */
static int open_streams(const bine_process_options *options, struct streams *streams)
{
    const int kinds[STREAMS] = {options->in, options->out, options->err};

    for (int i = 0; i < STREAMS; i++)
        streams->child[i] = streams->ours[i] = -1;
    for (int i = 0; i < STREAMS; i++) {
        switch (kinds[i]) {
        case BINE_PROCESS_INHERIT:
            break;
        case BINE_PROCESS_PIPE:
            if (open_pipe(streams, i) != 0)
                return -1;
            break;
        case BINE_PROCESS_NULL:
            streams->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
            if (streams->child[i] == -1)
                return -1;
            bine__fd_fresh(streams->child[i], BINE__KIND_UNKNOWN);
            break;
        default:
            if (kinds[i] != BINE_PROCESS_STDOUT || i != STDERR_FILENO)
                return bine__error(EINVAL);
        }
    }
    return 0;
}

/* What goes where; room for all is there. */
static void plan(struct bine__launch *launch, const bine_process_options *options, const struct streams *streams)
{
    for (int i = 0; i < STREAMS; i++)
        if (streams->child[i] != -1)
            launch->moves[launch->move_count++] = (struct bine__move){streams->child[i], i};
    if (options->err == BINE_PROCESS_STDOUT) {
        int from = streams->child[STDOUT_FILENO] != -1 ? streams->child[STDOUT_FILENO] : STDOUT_FILENO;
        launch->moves[launch->move_count++] = (struct bine__move){from, STDERR_FILENO};
    }
    for (size_t i = 0; i < options->fd_count; i++)
        launch->moves[launch->move_count++] = (struct bine__move){options->fds[i].parent, options->fds[i].child};
}

static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
    int fd = (int)syscall(SYS_pidfd_open, pid, 0U);

    bine__fd_fresh(fd, BINE__KIND_POLLABLE);
    return fd;
#else
    (void)pid;
    return -1;
#endif
}

/* 0, or an errno value. */
static int launch(struct bine_task *self, char *const argv[], const bine_process_options *options,
                  const struct streams *streams, struct bine_process *process)
{
    struct start start = {.job.run = run,
                          .launch = {.argv = argv,
                                     .env = options->env ? options->env : environ,
                                     .cwd = options->cwd,
                                     .group = options->group,
                                     .default_pipe = bine__pipe_ignored()}};

    start.launch.moves = calloc(options->fd_count + STREAMS + 1, sizeof *start.launch.moves);
    if (!start.launch.moves)
        return errno;
    plan(&start.launch, options, streams);
    pthread_sigmask(SIG_BLOCK, NULL, &start.launch.mask);
    if (bine__offload_to(NULL, self->loop, self, &start.job) != 0)
        start.error = errno;
    free(start.launch.moves);
    if (start.error)
        return start.error;
    process->pid = start.launch.pid;
    process->pidfd = open_pidfd(process->pid);
    process->group = options->group;
    return 0;
}

static void sweep_orphans(void);

static bool possible(char *const argv[], const bine_process_options *options, const int pipes[STREAMS])
{
    bool piped = options->in == BINE_PROCESS_PIPE || options->out == BINE_PROCESS_PIPE ||
                 options->err == BINE_PROCESS_PIPE;

    if (!argv || !argv[0] || (options->fd_count && !options->fds) || (piped && !pipes))
        return false;
    for (size_t i = 0; i < options->fd_count; i++)
        if (options->fds[i].parent < 0 || options->fds[i].child < 0)
            return false;
    return true;
}

bine_process *bine_process_start_sized(char *const argv[], const bine_process_options *given, size_t size,
                                       int pipes[STREAMS])
{
    bine_process_options options = BINE_PROCESS_OPTIONS_INIT;
    struct bine_task *self = bine__begin();
    struct bine_process *process;
    struct streams streams;
    int error = 0;

    if (!self)
        return NULL;
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (!possible(argv, &options, pipes)) {
        errno = EINVAL;
        return NULL;
    }
    sweep_orphans();
    process = calloc(1, sizeof *process);
    if (!process)
        return NULL;
    process->loop = self->loop;
    if (open_streams(&options, &streams) != 0)
        error = errno;
    else
        error = launch(self, argv, &options, &streams, process);
    close_all(streams.child);
    if (error) {
        close_all(streams.ours);
        free(process);
        errno = error;
        return NULL;
    }
    process->magic = PROCESS_MAGIC;
    if (pipes)
        memcpy(pipes, streams.ours, sizeof streams.ours);
    return process;
}

/* ---- Wait -------------------------------------------------------------------------------------------------- */

/* Has it ended, as the kernel knows now. */
static bool reap(struct bine_process *process)
{
    pid_t pid = 0;

    if (process->ended)
        return true;
    do
        pid = waitpid(process->pid, &process->status, WNOHANG);
    while (pid == -1 && errno == EINTR);
    process->error = pid == -1 ? errno : 0;
    process->ended = pid != 0;
    return process->ended;
}

struct vigil { /* the heap's: the thread may be left */
    struct bine__job job; /* first */
    pid_t pid;
};

static void keep_vigil(struct bine__job *job)
{
    siginfo_t info;

    (void)bine__offload_may_hang(job);
    while (waitid(P_PID, (id_t)((struct vigil *)(void *)job)->pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
        ;
}

static void end_vigil(struct bine__job *job)
{
    free(job);
}

/* Without a pidfd. */
static int wait_by_thread(struct bine_task *self, pid_t pid)
{
    struct vigil *vigil = calloc(1, sizeof *vigil);

    if (!vigil)
        return -1;
    vigil->job.run = keep_vigil;
    vigil->job.drop = end_vigil;
    vigil->pid = pid;
    if (bine__offload_to(NULL, self->loop, self, &vigil->job) != 0)
        return -1;
    free(vigil);
    return 0;
}

/* 0, or an errno value. */
static int await_end(struct bine_task *self, struct bine_process *process)
{
    int error = 0;

    process->waiting++;
    while (!error && !reap(process))
        if ((process->pidfd != -1 ? bine_poll_fd(process->pidfd, POLLIN) : wait_by_thread(self, process->pid)) == -1)
            error = errno;
    process->waiting--;
    return error;
}

/* What is known of the end. */
static int give(const struct bine_process *process, bine_process_status *status)
{
    if (process->error)
        return bine__error(process->error);
    if (status) {
        *status = (bine_process_status){.code = -1};
        if (WIFEXITED(process->status)) {
            status->code = WEXITSTATUS(process->status);
        } else if (WIFSIGNALED(process->status)) {
            status->signal = WTERMSIG(process->status);
#ifdef WCOREDUMP
            status->dumped = WCOREDUMP(process->status);
#endif
        }
    }
    return 0;
}

/* -1 with errno: not a process, or another loop's. */
static int check(const bine_process *process)
{
    if (!process || process->magic != PROCESS_MAGIC)
        return bine__error(EINVAL);
    return process->loop == bine__loop ? 0 : bine__error(EPERM);
}

int bine_process_wait(bine_process *process, bine_process_status *status)
{
    struct bine_task *self;
    int error;

    if (check(process) != 0)
        return bine__refuse(errno);
    if (!(self = bine__begin()))
        return -1;
    self->loop->offloading++; /* virtual time stands still: a child knows nothing of it */
    error = await_end(self, process);
    self->loop->offloading--;
    return error ? bine__error(error) : give(process, status);
}

int bine_process_wait_try(bine_process *process, bine_process_status *status)
{
    if (check(process) != 0)
        return -1;
    return reap(process) ? give(process, status) : bine__error(EAGAIN);
}

/* ---- Kill ---------------------------------------------------------------------------------------------------- */

pid_t bine_process_pid(const bine_process *process)
{
    if (process && process->magic == PROCESS_MAGIC)
        return process->pid;
    return bine__error(EINVAL);
}

int bine_process_kill(bine_process *process, int signal)
{
    if (check(process) != 0)
        return -1;
    if (process->ended)
        return bine__error(ESRCH);
    if (process->group)
        return kill(-process->pid, signal);
#ifdef SYS_pidfd_send_signal
    /* Right even where other code has waited for the child, and its number is somebody else's. */
    if (process->pidfd != -1) {
        long sent = syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0U);
        if (sent == 0 || (errno != ENOSYS && errno != EPERM)) /* EPERM: also what some sandboxes say */
            return (int)sent;
    }
#endif
    return kill(process->pid, signal);
}

int bine_process_stop(bine_process *process, bine_ns grace, bine_process_status *status)
{
    struct bine_task *self;
    bine_scope scope;
    int error;

    if (check(process) != 0 || !(self = bine__current()))
        return bine__refuse(errno);
    bine__charge_call(self->loop, self);
    if (!reap(process)) {
        (void)bine_process_kill(process, SIGTERM);
        (void)bine_process_kill(process, SIGCONT); /* one that is stopped would never know */
        bine_scope_open(&scope, grace);
        error = await_end(self, process);
        bine_scope_close(&scope);
        if (error)
            (void)bine_process_kill(process, SIGKILL);
        bine_scope_open_shield(&scope);
        while (!process->ended && await_end(self, process) != 0)
            (void)bine_sleep(BINE_MS); /* no memory, no thread: it has been killed, and is worth waiting for */
        bine_scope_close(&scope);
    }
    return give(process, status);
}

/* ---- End ------------------------------------------------------------------------------------------------------- */

static void release(struct bine_process *process)
{
    process->magic = 0;
    if (process->pidfd != -1)
        bine_close(process->pidfd);
    free(process);
}

int bine_process_free(bine_process *process)
{
    if (check(process) != 0)
        return -1;
    if (process->waiting > 0 || !reap(process))
        return bine__error(EBUSY);
    release(process);
    return 0;
}

static pthread_mutex_t orphans_lock = PTHREAD_MUTEX_INITIALIZER;
static struct bine_process *orphans; /* nobody's any more: without a pidfd */

static void sweep_orphans(void)
{
    pthread_mutex_lock(&orphans_lock);
    for (struct bine_process **link = &orphans, *process; (process = *link);) {
        if (reap(process)) {
            *link = process->next;
            free(process);
        } else {
            link = &process->next;
        }
    }
    pthread_mutex_unlock(&orphans_lock);
}

static void *adopt(void *arg)
{
    struct bine_process *process = arg;

    if (await_end(bine_self(), process) == 0) {
        release(process);
        return NULL;
    }
    if (process->pidfd != -1)
        bine_close(process->pidfd);
    process->pidfd = -1;
    pthread_mutex_lock(&orphans_lock);
    process->next = orphans;
    orphans = process;
    pthread_mutex_unlock(&orphans_lock);
    return NULL;
}

int bine_process_detach(bine_process *process)
{
    const bine_attr attr = {.name = "orphan", .detached = true};

    if (check(process) != 0)
        return -1;
    if (process->waiting > 0)
        return bine__error(EBUSY);
    if (reap(process)) {
        release(process);
        return 0;
    }
    process->magic = 0;
    if (bine__spawn(bine__loop, &attr, adopt, process, NULL, 0, "bine_process_detach"))
        return 0;
    process->magic = PROCESS_MAGIC;
    return -1;
}
