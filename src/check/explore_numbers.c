/* SPDX-License-Identifier: MIT
 *
 * Which numbers descriptors get in an explored loop.
 *
 * The kernel gives the lowest that is free, so of two tasks that make a socket each the first one gets the
 * lower number: schedules that differ in nothing but that come to states that differ in it for ever.  So a number
 * that the run has not had yet depends on the task and on how many such it has made; states of either order are
 * then the same.
 *
 * A number that was closed is given again, the lowest first, to whichever task asks next: what comes of the use of
 * a number that is somebody else's by now is still explored.  What the program makes past bine is numbered as
 * ever. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "check/explore_fds.h"

/* All in the first chunk of the table of descriptors (io.h): another one would be made by whoever is first. */
enum { FIRST = 32, EACH = 8, NUMBERS = 256, TASKS = (NUMBERS - FIRST) / EACH };

static struct {
    bool had[NUMBERS];
    uint8_t made[TASKS]; /* by each task, of numbers of its own */
} numbers;

/* -1: there is none. */
static int closed_before(void)
{
    for (int fd = 0; fd < NUMBERS; fd++)
        if (numbers.had[fd] && fcntl(fd, F_GETFD) == -1)
            return fd;
    return -1;
}

static int of_its_own(const struct bine_task *task)
{
    const uint64_t n = task->id - 1;
    if (n >= TASKS || numbers.made[n] == EACH)
        return -1;
    return FIRST + (int)n * EACH + numbers.made[n]++;
}

int bine__explore_number(int fd)
{
    const struct bine_loop *loop = bine__loop;
    const int error = errno;
    if (fd < 0 || fd >= NUMBERS || !loop || !bine__explored(loop))
        return fd;
    const bool again = numbers.had[fd];
    int wanted = closed_before();
    if (wanted == -1 && !again)
        wanted = of_its_own(loop->current);
    if (wanted != -1 && wanted != fd) {
        const bool close_on_exec = fcntl(fd, F_GETFD) & FD_CLOEXEC;
        const int moved = fcntl(fd, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, wanted);
        if (moved == wanted) {
            close(fd);
            fd = moved;
        } else if (moved != -1) {
            close(moved); /* somebody else's, past bine */
        }
    }
    numbers.had[fd] = true;
    errno = error;
    return fd;
}

void bine__state_mix_numbers(void)
{
    bine__state_fds.hash = bine__state_mixed_bytes(bine__state_fds.hash, &numbers, sizeof numbers);
}
