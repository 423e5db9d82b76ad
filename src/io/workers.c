/* SPDX-License-Identifier: MIT
 *
 * Work in processes: the program's side.  worker.h says who they are and what they say to each other.
 *
 * A worker is idle, or belongs to the one task that made a call with it; it is started when a call finds none
 * idle, up to the number that was asked for, which a semaphore keeps.  Whatever goes wrong in the middle of a
 * call, a cancellation too, leaves a worker in a state that nobody can know: it is killed, and the next call
 * starts another.
 *
 * A worker that has died while it was idle is found out by the write that fails, before it can have had
 * anything to do: the call goes on with another one. */
#define _GNU_SOURCE
#include "io/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bine/io.h>
#include <bine/sync.h>

#include "io/io.h"
#include "io/offload.h"
#include "runtime/runtime.h"

enum { WORKERS_MAGIC = 0x776f726b, MOST_PROCESSES = 1024 };

struct worker {
    struct worker *next; /* idle */
    int fd;
    int32_t pid; /* as the nursery knows it */
};

struct bine_workers {
    uint32_t magic;
    struct bine_loop *loop;
    bine_sem free;       /* workers that a call may still take or start */
    struct worker *idle; /* the one used last first: its memory is warm */
    unsigned calls;
    int control; /* to the nursery */
    pid_t nursery;
};

/* ---- The nursery --------------------------------------------------------------------------------------- */

struct birth {
    struct bine__job job; /* first */
    bine_work_fn *fn;
    int control[2];
    sigset_t mask; /* the caller's: threads of the pool block all */
    pid_t pid;
    int error;
};

/* On a thread of the pool: to copy a large process takes long, and there is a stack of the usual size, which
 * will be the workers'. */
static void give_birth(struct bine__job *job)
{
    struct birth *birth = (struct birth *)(void *)job;

    birth->pid = fork();
    if (birth->pid == 0)
        bine__nursery(birth->control[1], birth->fn, &birth->mask);
    birth->error = birth->pid == -1 ? errno : 0;
}

static int start_nursery(struct bine_task *self, struct bine_workers *workers, bine_work_fn *fn)
{
    struct birth birth = {.job.run = give_birth, .fn = fn};
    int error = 0;

    if (bine_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, birth.control) != 0)
        return errno;
    pthread_sigmask(SIG_BLOCK, NULL, &birth.mask);
    if (bine__offload_to(NULL, self->loop, self, &birth.job) != 0)
        error = errno;
    else
        error = birth.error;
    bine_close(birth.control[1]);
    if (error) {
        bine_close(birth.control[0]);
        return error;
    }
    workers->control = birth.control[0];
    workers->nursery = birth.pid;
    return 0;
}

struct funeral {
    struct bine__job job; /* first */
    pid_t pid;
};

static void await_end(struct bine__job *job)
{
    while (waitpid(((struct funeral *)(void *)job)->pid, NULL, 0) == -1 && errno == EINTR)
        ;
}

bine_workers *bine_workers_new(bine_work_fn *fn, unsigned processes)
{
    struct bine_task *self = bine__begin();
    struct bine_workers *workers;
    int error;

    if (!self)
        return NULL;
    if (!fn || processes > MOST_PROCESSES) {
        errno = EINVAL;
        return NULL;
    }
    workers = calloc(1, sizeof *workers);
    if (!workers)
        return NULL;
    workers->loop = self->loop;
    bine_sem_init(&workers->free, processes ? processes : bine__cores());
    error = start_nursery(self, workers, fn);
    if (error) {
        free(workers);
        errno = error;
        return NULL;
    }
    workers->magic = WORKERS_MAGIC;
    return workers;
}

/* Whatever the caller's scopes say. */
static int order(struct bine_workers *workers, struct bine__order order, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } with;
    struct iovec iov = {&order, sizeof order};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    bine_scope shield;

    if (fd != -1) {
        memset(&with, 0, sizeof with);
        message.msg_control = &with;
        message.msg_controllen = sizeof with;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    bine_scope_open_shield(&shield);
    ssize_t sent = bine_sendmsg(workers->control, &message, 0);
    bine_scope_close(&shield);
    return sent == -1 ? -1 : 0;
}

/* ---- Workers ------------------------------------------------------------------------------------------- */

/* Not to be used again; killed if it still computes. */
static void discard(struct bine_workers *workers, struct worker *worker)
{
    bine_close(worker->fd);
    if (worker->pid > 0)
        (void)order(workers, (struct bine__order){BINE__WORKER_KILL, worker->pid}, -1); /* else all are dead */
    free(worker);
}

/* NULL with errno: EAGAIN if the nursery could not.  What it does takes no longer than a fork: not to be left
 * half done. */
static struct worker *start(struct bine_workers *workers)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int pair[2];
    bool born;
    bine_scope shield;

    if (!worker)
        return NULL;
    if (bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        free(worker);
        return NULL;
    }
    worker->fd = pair[0];
    born = order(workers, (struct bine__order){BINE__WORKER_START, 0}, pair[1]) == 0;
    bine_close(pair[1]);
    if (born) {
        bine_scope_open_shield(&shield);
        born = bine_read_full(worker->fd, &worker->pid, sizeof worker->pid) == sizeof worker->pid;
        bine_scope_close(&shield);
    }
    if (!born) {
        worker->pid = 0;
        discard(workers, worker);
        errno = EAGAIN;
        return NULL;
    }
    return worker;
}

/* False: it had not even that much, so it has not begun. */
static bool send_input(const struct worker *worker, const void *input, uint64_t size)
{
    return bine_write_full(worker->fd, &size, sizeof size) == sizeof size &&
           bine_write_full(worker->fd, input, size) == (ssize_t)size;
}

/* 0, or an errno value: of the function's if *answered, else the worker is of no more use. */
static int receive_output(const struct worker *worker, void **output, size_t *size, bool *answered)
{
    struct bine__answer answer = {0};
    void *data = NULL;

    if (bine_read_full(worker->fd, &answer, sizeof answer) != sizeof answer)
        return errno ? errno : ECONNRESET;
    if (answer.reserved || answer.error < 0) /* its function has written here itself */
        return ECONNRESET;
    if (answer.size > 0) {
        data = malloc(answer.size);
        if (!data)
            return ENOMEM;
        if (bine_read_full(worker->fd, data, answer.size) != (ssize_t)answer.size) {
            int error = errno ? errno : ECONNRESET;
            free(data);
            return error;
        }
    }
    *answered = true;
    *output = data;
    *size = answer.size;
    return answer.error;
}

/* With a worker that has the input.  NULL with errno. */
static struct worker *engage(struct bine_workers *workers, const void *input, size_t size)
{
    struct worker *worker;
    bool fresh;

    do {
        worker = workers->idle;
        fresh = !worker;
        if (worker)
            workers->idle = worker->next;
        else if (!(worker = start(workers)))
            return NULL;
        if (send_input(worker, input, size))
            return worker;
        discard(workers, worker);
    } while (!fresh && !bine_cancelled());
    errno = bine_cancelled() ? bine_cancelled() : ECONNRESET;
    return NULL;
}

static int call(struct bine_workers *workers, const void *input, size_t size, void **output, size_t *output_size)
{
    struct worker *worker = engage(workers, input, size);
    bool answered = false;
    int error;

    if (!worker)
        return errno;
    error = receive_output(worker, output, output_size, &answered);
    if (answered) {
        worker->next = workers->idle;
        workers->idle = worker;
    } else {
        discard(workers, worker);
    }
    return error;
}

/* NULL with errno. */
static struct bine_task *begin(const struct bine_workers *workers)
{
    if (!workers || workers->magic != WORKERS_MAGIC) {
        errno = EINVAL;
        return NULL;
    }
    if (workers->loop != bine__loop) {
        errno = EPERM;
        return NULL;
    }
    return bine__current();
}

int bine_workers_call(bine_workers *workers, const void *input, size_t size, void **output, size_t *output_size)
{
    struct bine_task *self = begin(workers);
    void *data = NULL;
    size_t data_size = 0;
    int error;

    if (!self)
        return -1;
    if ((size && !input) || !output != !output_size)
        return bine__error(EINVAL);
    workers->calls++;
    self->loop->offloading++; /* virtual time stands still */
    error = bine_sem_wait(&workers->free) == 0 ? 0 : errno;
    if (!error) {
        error = call(workers, input, size, &data, &data_size);
        bine_sem_post(&workers->free);
    }
    self->loop->offloading--;
    workers->calls--;
    if (output && !error) {
        *output = data;
        *output_size = data_size;
    } else {
        free(data);
    }
    return error ? bine__error(error) : 0;
}

int bine_workers_free(bine_workers *workers)
{
    struct bine_task *self = begin(workers);

    if (!self)
        return -1;
    if (workers->calls > 0)
        return bine__error(EBUSY);
    workers->magic = 0;
    while (workers->idle) {
        struct worker *worker = workers->idle;
        workers->idle = worker->next;
        bine_close(worker->fd);
        free(worker);
    }
    (void)shutdown(workers->control, SHUT_RDWR); /* all of them die now, also where a child that we have forked since */
    bine_close(workers->control);                /* has copies of the descriptor */
    struct funeral funeral = {.job.run = await_end, .pid = workers->nursery};
    if (bine__offload_to(NULL, self->loop, self, &funeral.job) != 0)
        await_end(&funeral.job); /* no thread: it is at its end anyway */
    bine_sem_destroy(&workers->free);
    free(workers);
    return 0;
}
