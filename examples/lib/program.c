/* SPDX-License-Identifier: MIT
 *
 * The little that every example program does: see program.h. */
#include "program.h"

#include <bine.h>

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int program_address(int listener, char *buf, unsigned long size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[64];
    char port[8];
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        return -1;
    if (getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    snprintf(buf, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

int program_print_address(int listener)
{
    char address[80];
    if (program_address(listener, address, sizeof address) < 0)
        return -1;
    printf("listening on %s\n", address);
    return fflush(stdout) == 0 ? 0 : -1;
}

static int signal_pipe[2];

static void on_signal(int signal)
{
    int error = errno;
    ssize_t ignored = write(signal_pipe[1], &(char){(char)signal}, 1);
    (void)ignored; /* the pipe is full: somebody has been told already */
    errno = error;
}

int program_wait_for_signal(void)
{
    char signal;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (bine_pipe(signal_pipe) < 0)
        return -1;
    ssize_t n = -1;
    if (sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0)
        n = bine_read(signal_pipe[0], &signal, 1);

    int error = errno; /* a second signal kills */
    action.sa_handler = SIG_DFL;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    bine_close(signal_pipe[0]);
    bine_close(signal_pipe[1]);
    errno = error;
    return n == 1 ? 0 : -1;
}

unsigned long program_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 256;
    rlim_t allowed = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        allowed = limit.rlim_cur;
    return allowed == RLIM_INFINITY || allowed > 1000000 ? 1000000 : (unsigned long)allowed;
}

int program_end(const char *name, int how, int error)
{
    if (how < 0)
        error = errno;
    if (error == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s: %s\n", name, strerror(error));
    return EXIT_FAILURE;
}
