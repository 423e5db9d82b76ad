/* SPDX-License-Identifier: MIT
 *
 * A server's loop with requests of several kinds, each answered from a table that all share. */
#include "../corpus.h"

struct request {
    char kind;
    int key, value;
};
static int table[4], gets, sets;

static void serve(int fd)
{
    struct request r;
    while (bine_read_full(fd, &r, sizeof r) == (ssize_t)sizeof r) {
        switch (r.kind) {
        case 'g':
            gets++;
            r.value = table[r.key];
            break;
        case 's':
            sets++;
            table[r.key] = r.value;
            break;
        case 'i':
            r.value = ++table[r.key];
            break;
        }
        bine_write_full(fd, &r, sizeof r);
    }
}

static void *connection(void *arg)
{
    serve(*(int *)arg);
    return NULL;
}

static void *client(void *arg)
{
    int fd = *(int *)arg;
    static const char kinds[] = "sgigs";
    for (int i = 0; i < 10; i++) {
        struct request r = {kinds[i % 5], i % 4, i};
        bine_write_full(fd, &r, sizeof r);
        bine_read_full(fd, &r, sizeof r);
    }
    bine_close(fd);
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    bine_task *one = bine_spawn(connection, &a[0]), *two = bine_spawn(connection, &b[0]);
    both(client, &a[1], client, &b[1]);
    bine_join(one, NULL), bine_join(two, NULL);
    bine_close(a[0]), bine_close(b[0]);
    EXPECT(gets == 8 && sets == 8);
    return arg;
}
PROGRAM(program)
