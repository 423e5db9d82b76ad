/* SPDX-License-Identifier: MIT
 *
 * A small HTTP service that sells tickets, as one writes it with asyncio: what may switch is awaited.
 *
 * Between the look at the stock and the sale nothing is awaited, and BINE_ATOMIC holds whoever edits this to
 * it. INNOCENT logs there, as somebody did. */
#include <bine.h>
#include <bine/check.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/program.h"
#include "../lib/style.h"

static struct {
    int listener;
    char address[64];
    bine_task *serving;
    bine_stream *client[20];
    unsigned stock, sold;
} shop;

/* A head, up to the empty line; its first line in line.  1, 0 at the end, -1. */
static int read_head(bine_stream *stream, char *line, size_t size)
{
    char field[256] = "";
    ssize_t n = bine_await(bine_stream_read_line(stream, line, size));
    while (n > 0 && (n = bine_await(bine_stream_read_line(stream, field, sizeof field))) > 0 &&
           field[strspn(field, "\r\n")])
        ;
    return n > 0 ? 1 : (int)n;
}

static bool sell(void)
{
    bool sold = false;
    BINE_ATOMIC {
        if (shop.stock > 0) {
#ifdef INNOCENT
            style_log("sells one");
#endif
            shop.stock--;
            shop.sold++;
            sold = true;
        }
    }
    return sold;
}

static void *serve_one(void *fd)
{
    bine_stream *stream = bine_stream_new((int)(intptr_t)fd);
    char line[256] = "";
    while (stream && bine_await(read_head(stream, line, sizeof line)) > 0) {
        bool buys = strncmp(line, "POST /ticket ", 13) == 0, sold = buys && sell();
        const char *body = !buys ? "what?\n" : sold ? "yours\n" : "none left\n";
        bine_stream_printf(stream, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
                           !buys ? "404 Not Found" : sold ? "200 OK" : "410 Gone", strlen(body), body);
        if (bine_await(bine_stream_flush(stream)) < 0)
            break;
    }
    bine_stream_close(stream);
    return NULL;
}

static void *serve(void *arg)
{
    for (;;) {
        int fd = bine_await(bine_accept(shop.listener, NULL, NULL));
        if (fd < 0)
            return arg;
        bine_task *task = style_spawn(BINE_EXPLICIT, serve_one, (void *)(intptr_t)fd);
        if (task)
            bine_detach(task);
    }
}

/* Status 200 or not; -1 with errno. */
static int buy(bine_stream *stream)
{
    char line[256] = "", body[16];
    if (bine_stream_printf(stream, "POST /ticket HTTP/1.1\r\nHost: shop\r\n\r\n") < 0 ||
        bine_await(bine_stream_flush(stream)) < 0 || bine_await(read_head(stream, line, sizeof line)) <= 0 ||
        bine_await(bine_stream_read_line(stream, body, sizeof body)) <= 0)
        return -1;
    return strstr(line, "200") != NULL;
}

static int open_shop(unsigned stock, unsigned clients)
{
    shop.stock = stock;
    shop.listener = bine_listen("tcp", "127.0.0.1:0", 0);
    if (shop.listener < 0 || program_address(shop.listener, shop.address, sizeof shop.address) < 0)
        return -1;
    shop.serving = style_spawn(BINE_EXPLICIT, serve, NULL);
    for (unsigned i = 0; i < clients; i++) {
        int fd = bine_await(bine_dial("tcp", shop.address));
        shop.client[i] = fd < 0 ? NULL : bine_stream_new(fd);
        if (!shop.client[i])
            return -1;
    }
    return 0;
}

static void close_shop(void)
{
    for (unsigned i = 0; i < 20 && shop.client[i]; i++)
        bine_stream_close(shop.client[i]);
    bine_await(bine_stop(shop.serving, NULL));
    bine_close(shop.listener);
}

/* ---- Two clients and one ticket ------------------------------------------------------------------------ */

static void *buy_one(void *stream)
{
    return bine_await(buy(stream)) < 0 ? bine_fail(errno) : NULL;
}

static void *scenario(void *arg)
{
    if (bine_await(open_shop(1, 2)) < 0)
        return bine_fail(errno);
    void *clients[] = {shop.client[0], shop.client[1]};
    int how = bine_await(style_all(BINE_EXPLICIT, 2, buy_one, clients)), error = errno;
    bine_await(close_shop());
    return how < 0 ? bine_fail(error) : shop.sold != 1 ? bine_fail(EPROTO) : arg;
}

/* ---- The load: as many tickets as are asked for -------------------------------------------------------- */

static int open_load(void)
{
    return bine_await(open_shop(UINT32_MAX, 20));
}

static int operation(unsigned client)
{
    return bine_await(buy(shop.client[client]));
}

int main(int argc, char **argv)
{
    static const struct style style = {"http, asyncio", BINE_EXPLICIT, scenario,
                                       open_load,       operation,     close_shop};
    return style_main(argc, argv, &style);
}
