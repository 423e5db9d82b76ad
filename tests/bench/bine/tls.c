/* SPDX-License-Identifier: MIT
 *
 * bine's side of the work "tls": tls PORT, an echo server, a task a connection, straight-line.
 *
 * Serves until it is ended by a signal. */
#include <bine.h>
#include <bine/tls.h>

#include <errno.h>

#include "../tls.h"

enum { BUFFER = 4096 };

static void serve_echo(int fd, void *arg)
{
    char buffer[BUFFER];
    ssize_t n;
    bine_tls *tls = bine_tls_new(arg, fd, NULL);
    if (!tls)
        return;
    while ((n = bine_tls_read(tls, buffer, sizeof buffer)) > 0)
        if (bine_tls_write(tls, buffer, (size_t)n) != n)
            break;
    bine_tls_close(tls);
}

static void *serve(void *arg)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%ld", *(long *)arg);
    bine_tls_config *config = bine_tls_config_new(BINE_TLS_SERVER);
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0 || !config) {
        perror("listen");
        return bine_fail(EADDRINUSE);
    }
    use_new_certificate(bine_tls_config_native(config));
    bine_serve(listener, serve_echo, config, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    long port = count_argument(argc, argv, 1, 0);
    bine_result result;
    return bine_run(serve, &port, &result) != 0 || result.error != 0;
}
