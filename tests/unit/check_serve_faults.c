/* SPDX-License-Identifier: MIT
 *
 * Serving when descriptors, memory or the network fail. */
#include "support/support.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/fault.h"
#include "support/server.h"

/* ---- Shortage and broken connections ------------------------------------------------------------------- */

VIRTUAL_TEST(goes_on_when_descriptors_or_memory_had_run_out)
{
    static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    struct server server = {0};

    server_start(&server, echo);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        bine_ns before = bine_now();
        fault_arm_call("accept", 1, 3, errors[i]);
        int fd = dial(&server);
        ping(fd);
        expect_int(fault_injected(), ==, 3);
        fault_disarm();
        expect_int(bine_now() - before, >=, 35 * BINE_MS); /* 5 + 10 + 20 */
        expect_ok(bine_close(fd));
    }
    server_stop(&server, ECANCELED);
}

LOOP_TEST(goes_on_when_the_process_has_no_descriptor_left)
{
    enum { NUMBERS = 64 };
    struct server server = {0};
    struct rlimit before, now;
    int taken[NUMBERS], count = 0;

    if (support_under_valgrind()) { /* it lets accept(2) succeed, and then throws the connection away */
        support_skip("goes_on_when_the_process_has_no_descriptor_left", "Valgrind keeps descriptors of its own");
        return;
    }
    server_start(&server, echo);
    int first = dial(&server);
    ping(first);
    int second = connect_now(&server), third = connect_now(&server);
    expect_ok(getrlimit(RLIMIT_NOFILE, &before));
    now = before;
    now.rlim_cur = NUMBERS;
    expect_ok(setrlimit(RLIMIT_NOFILE, &now));
    while (count < NUMBERS && (taken[count] = dup(0)) >= 0)
        count++;
    expect_int(errno, ==, EMFILE);
    ping(first);
    expect_int(server.begun, ==, 1);
    expect_ok(bine_close(first)); /* that frees two: the client's, and when the server has seen it, its own */
    ping(second);
    ping(third);
    expect_ok(setrlimit(RLIMIT_NOFILE, &before));
    while (count > 0)
        expect_ok(close(taken[--count]));
    expect_ok(bine_close(second));
    expect_ok(bine_close(third));
    server_stop(&server, ECANCELED);
}

VIRTUAL_TEST(waits_no_longer_than_until_a_connection_ends)
{
    struct server server = {0};

    server_start(&server, echo);
    int first = dial(&server);
    ping(first);
    fault_arm_call("accept", 1, 9, EMFILE); /* 5 ms, 10, 20 ...: it would wait a second and more in all */
    int second = dial(&server);
    expect_ok(bine_sleep(200 * BINE_MS));
    expect_int(server.begun, ==, 1);
    bine_ns before = bine_now();
    expect_int(fault_injected(), <, 9);
    fault_disarm();
    expect_ok(bine_close(first));
    ping(second);
    expect_int(bine_now() - before, ==, 0); /* on the virtual clock: no timer had to fire */
    expect_ok(bine_close(second));
    server_stop(&server, ECANCELED);
}

LOOP_TEST(goes_on_when_a_task_cannot_be_had)
{
    /* A size of stack that nobody else uses: the first one needs memory from the kernel. */
    struct server server = {.options = {.stack_size = 128 * 1024}};

    server_start(&server, echo);
    fault_arm_call("mmap", 1, 1, ENOMEM);
    int fd = dial(&server);
    expect_end_of_file(fd); /* this one is lost */
    expect_int(fault_injected(), ==, 1);
    fault_disarm();
    expect_ok(bine_close(fd));
    fd = dial(&server);
    ping(fd);
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);
}

VIRTUAL_TEST(goes_on_at_once_after_a_broken_connection)
{
    static const int errors[] = {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM, ETIMEDOUT, EOPNOTSUPP};
    struct server server = {0};
    bine_ns before = bine_now();

    server_start(&server, echo);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        fault_arm_call("accept", 1, 3, errors[i]);
        int fd = dial(&server);
        ping(fd);
        expect_int(fault_injected(), ==, 3);
        fault_disarm();
        expect_ok(bine_close(fd));
    }
    expect_int(bine_now(), ==, before);
    server_stop(&server, ECANCELED);
}

VIRTUAL_TEST(does_not_spin_on_an_error_that_never_stops)
{
    struct server server = {0};

    server_start(&server, echo);
    fault_arm_call("accept", 1, 1000000, EPROTO);
    int fd = dial(&server);
    expect_ok(bine_sleep(BINE_MINUTE));
    expect_int(fault_injected(), <, 200);
    fault_disarm();
    ping(fd);
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);
}

SUPPORT_MAIN("serve_faults", goes_on_when_descriptors_or_memory_had_run_out,
             goes_on_when_the_process_has_no_descriptor_left, waits_no_longer_than_until_a_connection_ends,
             goes_on_when_a_task_cannot_be_had, goes_on_at_once_after_a_broken_connection,
             does_not_spin_on_an_error_that_never_stops)
