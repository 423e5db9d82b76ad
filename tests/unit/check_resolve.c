/* SPDX-License-Identifier: MIT
 *
 * Looking names up: what both resolvers do, and, where c-ares is built in (DNS=cares), against a name server of
 * the test's own on 127.0.0.1.  getaddrinfo(3) cannot be told whom to ask: its half is in check_net.c. */
#define _GNU_SOURCE
#include "support/support.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/resolve.h"
#include "support/addresses.h"

/* ---- A name server ----------------------------------------------------------------------------------- */

enum { HELD = 200, A = 1, CNAME = 5, AAAA = 28 };

struct name_server {
    int fd;
    bine_task *task;
    int hold; /* so many questions come before the first is answered */
    int asked;
    struct held {
        unsigned char packet[512];
        size_t length;
        struct sockaddr_in from;
    } held[2 * HELD];
    int held_count;
};

static const struct record {
    const char *name;
    int type;
    const char *address; /* NULL: the name is there, without such an address */
} records[] = {
    {"one.test", A, "10.0.0.1"},       {"one.test", AAAA, "fd00::1"},     {"here.test", A, "127.0.0.1"},
    {"here.test", AAAA, NULL},         {"many.test", A, "127.0.0.2"},     {"many.test", A, "127.0.0.3"},
    {"many.test", A, "127.0.0.4"},     {"many.test", AAAA, NULL},         {"dead.test", A, "127.0.0.2"},
    {"dead.test", A, "127.0.0.3"},     {"dead.test", AAAA, NULL},         {"empty.test", A, NULL},
    {"empty.test", AAAA, NULL},
};

/* "one.test" of the question; where it ends. */
static size_t name_of(const unsigned char *packet, size_t length, char *name, size_t size)
{
    size_t at = 12, used = 0;

    while (at < length && packet[at] != 0) {
        size_t n = packet[at++];
        if (at + n > length || used + n + 2 > size)
            break;
        used += (size_t)snprintf(name + used, size - used, "%s%.*s", used ? "." : "", (int)n,
                                 (const char *)packet + at);
        at += n;
    }
    name[used] = '\0';
    return at + 1;
}

static size_t add_name(unsigned char *out, const char *name)
{
    size_t used = 0;

    while (*name) {
        const size_t n = strcspn(name, ".");
        out[used++] = (unsigned char)n;
        memcpy(out + used, name, n);
        used += n;
        name += n + (name[n] == '.');
    }
    out[used++] = 0;
    return used;
}

static size_t add_head(unsigned char *out, const char *name, int type, size_t size)
{
    const unsigned char head[] = {0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, (unsigned char)size};
    const size_t used = add_name(out, name);

    memcpy(out + used, head, sizeof head);
    return used + sizeof head;
}

static size_t add_record(unsigned char *out, const struct record *record)
{
    const size_t size = record->type == A ? 4 : 16, used = add_head(out, record->name, record->type, size);

    expect_int(inet_pton(record->type == A ? AF_INET : AF_INET6, record->address, out + used), ==, 1);
    return used + size;
}

static size_t add_alias(unsigned char *out, const char *alias, const char *name)
{
    unsigned char target[256];
    const size_t size = add_name(target, name), used = add_head(out, alias, CNAME, size);

    memcpy(out + used, target, size);
    return used + size;
}

static void answer(struct name_server *server, struct held *question)
{
    unsigned char reply[1024] = {0};
    char name[256];
    const size_t end = name_of(question->packet, question->length, name, sizeof name) + 4;
    const int type = question->packet[end - 3];
    size_t used = end;
    bool known = false;
    const char *wanted = name;

    memcpy(reply, question->packet, end);
    reply[2] = 0x81; /* an answer, recursion wanted */
    reply[3] = 0x80; /* and there */
    reply[7] = reply[9] = reply[11] = 0;
    if (strcasecmp(name, "alias.test") == 0) {
        used += add_alias(reply + used, "alias.test", "middle.test");
        used += add_alias(reply + used, "middle.test", "one.test");
        reply[7] = 2;
        wanted = "one.test";
    }
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (strcasecmp(records[i].name, wanted) == 0) {
            known = true;
            if (records[i].type == type && records[i].address) {
                used += add_record(reply + used, &records[i]);
                reply[7]++;
            }
        }
    if (strcmp(name, "silent.test") == 0)
        return;
    if (strcmp(name, "broken.test") == 0)
        reply[3] |= 2; /* SERVFAIL */
    else if (!known)
        reply[3] |= 3; /* NXDOMAIN */
    if (strcmp(name, "noise.test") == 0)
        used = 7; /* not even a head */
    (void)bine_sendto(server->fd, reply, used, 0, (struct sockaddr *)&question->from, sizeof question->from);
}

static void *serve_names(void *arg)
{
    struct name_server *server = arg;

    for (;;) {
        struct held *question = &server->held[server->held_count];
        socklen_t length = sizeof question->from;
        ssize_t n = bine_recvfrom(server->fd, question->packet, sizeof question->packet, 0,
                                  (struct sockaddr *)&question->from, &length);
        if (n < 0)
            return NULL;
        if (n < 17)
            continue;
        question->length = (size_t)n;
        server->asked++;
        server->held_count++;
        if (server->held_count < server->hold)
            continue;
        for (int i = 0; i < server->held_count; i++)
            answer(server, &server->held[i]);
        server->held_count = server->hold = 0; /* who asks again is answered at once */
    }
}

static bool server_start(struct name_server *server)
{
    char address[64];

    if (strcmp(bine__resolver, "c-ares") != 0) {
        printf("names are looked up by getaddrinfo(3): left out\n");
        return false;
    }
    memset(server, 0, sizeof *server);
    server->fd = bine_listen("udp4", "127.0.0.1:0", 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port_of(server->fd));
    expect_ok(setenv("BINE_DNS", address, 1));
    server->task = bine_spawn(serve_names, server);
    return true;
}

static void server_stop(struct name_server *server)
{
    expect_ok(bine_stop(server->task, NULL));
    expect_ok(bine_close(server->fd));
    expect_ok(unsetenv("BINE_DNS"));
}

static struct name_server server; /* large */

/* A lookup that was left to its thread closes its sockets when that gets to it. */
static void expect_descriptors(unsigned before)
{
    for (int i = 0; i < 20000 && fixture_fds() > before; i++)
        expect_ok(bine_sleep(BINE_MS));
    expect_uint(fixture_fds(), ==, before);
}

/* ---- Both resolvers ---------------------------------------------------------------------------------- */

LOOP_TEST(localhost_is_loopback)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int v4 = 0;

    expect_int(bine_resolve("localhost", "80", &hints, &list), ==, 0);
    for (struct addrinfo *info = list; info; info = info->ai_next)
        if (info->ai_family == AF_INET) {
            struct sockaddr_in *address = (struct sockaddr_in *)info->ai_addr;
            v4 += address->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && address->sin_port == htons(80);
        }
    expect_int(v4, >, 0);
    if (list)
        freeaddrinfo(list);
}

LOOP_TEST(no_host_is_loopback_or_every_address)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;

    expect_int(bine_resolve(NULL, "80", &hints, &list), ==, 0);
    if (expect(list)) {
        expect_uint(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr, ==, htonl(INADDR_LOOPBACK));
        freeaddrinfo(list);
    }
    hints.ai_flags = AI_PASSIVE;
    expect_int(bine_resolve(NULL, "80", &hints, &list), ==, 0);
    if (expect(list)) {
        expect_uint(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr, ==, htonl(INADDR_ANY));
        freeaddrinfo(list);
    }
    hints.ai_flags = 0;
    expect_int(bine_resolve("127.1", "no such service", &hints, &list), ==, EAI_SERVICE);
}

/* ---- Against the server ------------------------------------------------------------------------------ */

LOOP_TEST(names_have_addresses_of_both_families)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int families[2] = {0, 0};

    if (!server_start(&server))
        return;
    expect_int(bine_resolve("one.test", "8080", &hints, &list), ==, 0);
    for (struct addrinfo *info = list; info; info = info->ai_next) {
        families[info->ai_family == AF_INET6]++;
        expect_int(info->ai_socktype, ==, SOCK_STREAM);
        if (info->ai_family == AF_INET) {
            expect_uint(((struct sockaddr_in *)info->ai_addr)->sin_addr.s_addr, ==, htonl(0x0a000001));
            expect_int(((struct sockaddr_in *)info->ai_addr)->sin_port, ==, htons(8080));
        }
    }
    expect_int(families[0], ==, 1);
    expect_int(families[1], ==, 1);
    freeaddrinfo(list);
    hints.ai_family = AF_INET6;
    hints.ai_flags = AI_CANONNAME;
    expect_int(bine_resolve("one.test", "http", &hints, &list), ==, 0);
    if (expect(list)) {
        expect_int(list->ai_family, ==, AF_INET6);
        expect_int(((struct sockaddr_in6 *)list->ai_addr)->sin6_port, ==, htons(80));
        expect_str(list->ai_canonname, "one.test");
        expect_ptr(list->ai_next, ==, NULL);
        freeaddrinfo(list);
    }
    server_stop(&server);
}

LOOP_TEST(the_canonical_name_is_the_last_of_the_aliases)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNSPEC};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *list = NULL;

    if (!server_start(&server))
        return;
    for (int i = 0; i < 3; i++) {
        hints.ai_family = families[i];
        expect_int(bine_resolve("alias.test", "80", &hints, &list), ==, 0);
        if (expect(list)) {
            expect_str(list->ai_canonname, "one.test");
            freeaddrinfo(list);
        }
    }
    server_stop(&server);
}

LOOP_TEST(names_fail_as_they_should)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int code;

    if (!server_start(&server))
        return;
    expect_int(bine_resolve("nothing.test", "80", &hints, &list), ==, EAI_NONAME);
    code = bine_resolve("empty.test", "80", &hints, &list);
    expect(code == EAI_NODATA || code == EAI_NONAME);
    expect_fails(bine_dial("tcp", "nothing.test:80"), ENOENT);
    BINE_TIMEOUT(20 * BINE_SECOND) /* after asking some times */
        expect_int(bine_resolve("broken.test", "80", &hints, &list), ==, EAI_AGAIN);
    expect_ptr(list, ==, NULL);
    server_stop(&server);
}

LOOP_TEST(a_silent_server_is_waited_for_as_long_as_the_scope_says)
{
    static const char *const names[] = {"silent.test", "noise.test"};
    struct addrinfo *list;
    unsigned before;

    if (!server_start(&server))
        return;
    before = fixture_fds();
    for (int i = 0; i < 2; i++) {
        BINE_TIMEOUT(20 * BINE_MS) {
            errno = 0;
            expect_int(bine_resolve(names[i], "80", NULL, &list), ==, EAI_SYSTEM);
            expect_int(errno, ==, ETIMEDOUT);
        }
        expect_descriptors(before);
    }
    server_stop(&server);
}

static void *resolve_one(void *arg)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = bine_resolve("one.test", "80", &hints, &list);

    if (code == 0)
        ++*(int *)arg;
    else
        expect(code == EAI_SYSTEM && errno == ECANCELED);
    if (list)
        freeaddrinfo(list);
    return NULL;
}

/* More than there are threads: each question is on its way before the first is answered. */
LOOP_TEST(lookups_hold_no_threads)
{
    int found = 0;

    if (!server_start(&server))
        return;
    server.hold = HELD;
    BINE_GROUP(group, BINE_GROUP_ALL) {
        for (int i = 0; i < HELD; i++)
            bine_group_spawn(&group, resolve_one, &found);
    }
    expect_int(found, ==, HELD);
    server_stop(&server);
}

LOOP_TEST(lookups_are_cancelled_at_any_time)
{
    int found = 0;
    unsigned before;

    if (!server_start(&server))
        return;
    before = fixture_fds();
    for (int i = 0; i < 100; i++) {
        bine_task *task = bine_spawn(resolve_one, &found);
        for (int turn = 0; turn < i % 7; turn++)
            expect_ok(i % 2 ? bine_yield() : bine_sleep(BINE_MS / 4));
        expect_ok(bine_stop(task, NULL));
    }
    for (int i = 0; i < 5; i++) /* and nothing is the worse for it */
        resolve_one(&found);
    expect_int(found, >=, 5);
    expect_descriptors(before);
    server_stop(&server);
}

/* ---- Dialling what has many addresses ---------------------------------------------------------------- */

/* A listener whose queue is full: connecting to it hangs. */
static int full_listener(const char *address, int fd[4])
{
    int listener = bine_listen("tcp", address, 1);
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    expect_ok(listen(listener, 0));
    expect_ok(getsockname(listener, (struct sockaddr *)&name, &length));
    for (int i = 0; i < 4; i++) {
        fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(fd[i], (struct sockaddr *)&name, length) != 0) {
            struct pollfd first = {.fd = listener, .events = POLLIN};
            expect_int(poll(&first, 1, 60000), ==, 1); /* one is enough to fill it */
        }
    }
    return listener;
}

static void full_close(int listener, const int fd[4])
{
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    expect_ok(bine_close(listener));
}

LOOP_TEST(the_first_address_that_answers_is_taken_and_the_others_closed)
{
    int waiting[4], full = -1, last = -1, client, port = 0;
    unsigned before;

    if (!server_start(&server))
        return;
    for (int tries = 0; tries < 20 && last < 0; tries++) { /* the port may be somebody's on the other address */
        if (port > 0)
            full_close(full, waiting);
        full = full_listener("127.0.0.2:0", waiting); /* hangs; 127.0.0.3 refuses; 127.0.0.4 answers */
        port = port_of(full);
        last = bine_listen("tcp", at("127.0.0.4", port), 0);
    }
    before = fixture_fds();
    client = bine_dial("tcp", at("many.test", port));
    expect_uint(fixture_fds(), ==, before + 1);
    expect_connected(client, last);
    expect_ok(bine_close(last));
    BINE_TIMEOUT(BINE_SECOND) /* the first one still hangs, and the rest refuses */
        expect_fails(bine_dial("tcp", at("many.test", port)), ETIMEDOUT);
    expect_descriptors(before - 1);
    full_close(full, waiting);
    expect_fails(bine_dial("tcp", at("dead.test", port)), ECONNREFUSED);
    expect_fails(bine_dial("tcp6", at("dead.test", port)), EADDRNOTAVAIL);
    server_stop(&server);
}

SUPPORT_MAIN("resolve", localhost_is_loopback, no_host_is_loopback_or_every_address,
             names_have_addresses_of_both_families, the_canonical_name_is_the_last_of_the_aliases,
             names_fail_as_they_should, a_silent_server_is_waited_for_as_long_as_the_scope_says,
             lookups_hold_no_threads, lookups_are_cancelled_at_any_time,
             the_first_address_that_answers_is_taken_and_the_others_closed)
