/* SPDX-License-Identifier: MIT
 *
 * Errors that manual pages name and that only a fault, or something rare, brings about: of accepting,
 * dialling, listening and making descriptors; of futures and groups without memory; in callbacks. */
#include "support/support.h"
#include "support/tasks.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/fault.h"

#define TEXT_MAX 64 /* bytes */

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    expect_ok(getsockname(fd, (struct sockaddr *)&address, &length));
    return ntohs(address.sin_port);
}

/* The call fails because the named one below it does. */
#define EXPECT_PASSES_ON(name, error, call)      \
    do {                                         \
        fault_arm_call((name), 1, 1, (error));   \
        expect_fails((call), (error));           \
        expect_int(fault_injected(), ==, 1);     \
        fault_disarm();                          \
    } while (0)

/* ---- Descriptors --------------------------------------------------------------------------------------- */

LOOP_TEST(accept_says_why_it_took_nobody)
{
    static const int errors[] = {EMFILE, ENFILE, ECONNABORTED, ENOMEM, ENOBUFS};
    char address[TEXT_MAX];
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port_of(listener));
    int client = bine_dial("tcp", address);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        EXPECT_PASSES_ON("accept", errors[i], bine_accept(listener, NULL, NULL));
    int server = bine_accept(listener, NULL, NULL); /* the connection waited meanwhile */
    expect(server >= 0);
    expect_ok(bine_close(server));
    expect_ok(bine_close(client));
    expect_ok(bine_close(listener));
}

LOOP_TEST(a_system_without_descriptors_is_enfile)
{
    int fd[2];
    EXPECT_PASSES_ON("socket", ENFILE, bine_socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_PASSES_ON("socketpair", ENFILE, bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    EXPECT_PASSES_ON("pipe", ENFILE, bine_pipe(fd));
    EXPECT_PASSES_ON("dup", ENFILE, bine_dup(0));
    EXPECT_PASSES_ON("socket", ENFILE, bine_listen("tcp", "127.0.0.1:0", 0));
    EXPECT_PASSES_ON("socket", ENFILE, bine_listen("unix", "@bine-check-errno", 0));
    EXPECT_PASSES_ON("socket", ENFILE, bine_dial("tcp", "127.0.0.1:1"));
    EXPECT_PASSES_ON("socket", ENFILE, bine_dial("unix", "@bine-check-errno"));
    EXPECT_PASSES_ON("socket", ENOMEM, bine_dial("udp", "127.0.0.1:1"));
}

LOOP_TEST(listen_says_that_it_may_not)
{
    char directory[] = "/tmp/errno-XXXXXX", path[TEXT_MAX];
    EXPECT_PASSES_ON("bind", EACCES, bine_listen("tcp", "127.0.0.1:1", 0));
    EXPECT_PASSES_ON("bind", EACCES, bine_listen("unix", "@bine-check-errno", 0));
    expect(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    expect_ok(chmod(directory, 0));
    if (geteuid() != 0) /* whom nothing is forbidden */
        expect_fails(bine_listen("unix", path, 0), EACCES);
    expect_ok(rmdir(directory));
}

LOOP_TEST(a_datagram_that_is_too_long_is_emsgsize)
{
    static char bytes[70000];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    char address[TEXT_MAX];
    int receiver = bine_listen("udp4", "127.0.0.1:0", 0), fd = bine_socket(AF_INET, SOCK_DGRAM, 0);
    to.sin_port = htons((uint16_t)port_of(receiver));
    expect_fails(bine_sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    expect_ok(bine_close(fd));
    snprintf(address, sizeof address, "127.0.0.1:%d", port_of(receiver));
    fd = bine_dial("udp", address);
    expect_fails(bine_send(fd, bytes, sizeof bytes, 0), EMSGSIZE);
    expect_fails(bine_sendmsg(fd, &message, 0), EMSGSIZE);
    expect_fails(bine_write(fd, bytes, sizeof bytes), EMSGSIZE);
    expect_ok(bine_close(fd));
    expect_ok(bine_close(receiver));
}

LOOP_TEST(open_refuses_a_path_that_is_too_long)
{
    static char path[8192];
    memset(path, 'a', sizeof path - 1);
    expect_fails(bine_open(path, O_RDONLY), ENAMETOOLONG);
    expect_fails(bine_open(NULL, O_RDONLY), EFAULT);
    expect_fails(bine_open("", O_RDONLY), ENOENT);
    expect_fails(bine_dial("unix", path), ENAMETOOLONG);
}

/* ---- Dialling ------------------------------------------------------------------------------------------ */

LOOP_TEST(dial_and_connect_say_what_the_network_said)
{
    static const int errors[] = {ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT, ENOMEM};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        int fd = bine_socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_PASSES_ON("connect", errors[i], bine_connect(fd, (struct sockaddr *)&to, sizeof to));
        expect_ok(bine_close(fd));
        EXPECT_PASSES_ON("connect", errors[i], bine_dial("tcp4", "127.0.0.1:1"));
        expect_int(bine_cancelled(), ==, 0); /* the kernel's ETIMEDOUT, and no scope's */
    }
}

LOOP_TEST(dial_says_why_a_name_was_not_found)
{
    static const struct {
        int code, error;
    } cases[] = {{EAI_NONAME, ENOENT}, {EAI_SERVICE, ENOENT}, {EAI_AGAIN, EAGAIN},          {EAI_FAIL, EIO},
                 {EAI_MEMORY, ENOMEM}, {EAI_FAMILY, EADDRNOTAVAIL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fault_arm_call("getaddrinfo", 1, 1, cases[i].code);
        errno = 0;
        int fd = bine_dial("tcp", "name.invalid:80");
        int error = errno;
        long injected = fault_injected();
        fault_disarm();
        if (injected == 0) { /* c-ares is asked */
            support_skip("dial_says_why_a_name_was_not_found", "names are not looked up by getaddrinfo");
            return;
        }
        expect_int(fd, ==, -1);
        expect_int(error, ==, cases[i].error);
    }
}

/* ---- Memory -------------------------------------------------------------------------------------------- */

static void ignore(bine_future *future, void *arg)
{
    (void)future, (void)arg;
}

LOOP_TEST(futures_without_memory_are_not_made)
{
    bine_result result;
    fault_arm_run(1, 100);
    expect_null(bine_future_new(NULL), ENOMEM);
    fault_disarm();

    bine_future *future = bine_future_new(NULL);
    fault_arm_run(1, 100);
    expect_fails(bine_future_on_done(future, ignore, NULL), ENOMEM);
    fault_disarm();
    expect_ok(bine_future_set(future, NULL));
    bine_future_unref(future);

    bine_task *task = bine_spawn(return_arg, &result);
    fault_arm_run(1, 100);
    expect_null(bine_task_future(task), ENOMEM);
    fault_disarm();
    expect_ok(bine_join(task, &result)); /* still the caller's */
    expect_ptr(result.value, ==, &result);
}

static unsigned begun;

static void *count(void *arg)
{
    begun++;
    (void)bine_sleep(BINE_FOREVER);
    return arg;
}

/* More children than there are stacks at hand, so that memory has to be mapped for some. */
VIRTUAL_TEST(groups_without_memory_end_the_children_that_they_have)
{
    enum { CHILDREN = 3000, LARGE = 16 };
    bine_fn **fn = calloc(CHILDREN, sizeof *fn);
    void **arg = calloc(CHILDREN, sizeof *arg);
    bine_result *out = calloc(CHILDREN, sizeof *out), result;
    bine_attr attr = BINE_ATTR_INIT;
    bine_group group;

    for (int i = 0; i < CHILDREN; i++)
        fn[i] = count;
    begun = 0;
    fault_arm_call("mmap", 1, CHILDREN, ENOMEM);
    expect_fails(bine_gather(CHILDREN, fn, arg, out), ENOMEM);
    expect(fault_injected() > 0);
    fault_disarm();
    expect_uint(begun, <, CHILDREN);

    attr.stack_size = 1 << 20; /* of a size that nobody has had */
    bine_group_open(&group, BINE_GROUP_ALL);
    bine_task *child = NULL;
    int children = 0;
    fault_arm_call("mmap", 1, CHILDREN, ENOMEM);
    errno = 0;
    while (children < LARGE * CHILDREN && (child = bine_group_spawn_with(&group, &attr, count, NULL)))
        children++;
    expect_int(errno, ==, ENOMEM);
    expect(child == NULL);
    fault_disarm();
    bine_group_cancel(&group);
    expect_fails(bine_group_wait(&group, &result), ECANCELED);

    expect_fails(bine_gather(1, NULL, arg, out), EINVAL);
    expect_fails(bine_gather(1, fn, arg, NULL), EINVAL);
    fn[0] = NULL;
    expect_fails(bine_gather(2, fn, arg, out), EINVAL);
    free(fn);
    free(arg);
    free(out);
}

/* ---- Callbacks ----------------------------------------------------------------------------------------- */

struct waits { /* what a callback may not wait for */
    bine_group group;
    bine_future *future;
    bine_task *task;
    bool done;
};

static void wait_in_callback(void *arg)
{
    struct waits *waits = arg;
    bine_fn *fn[] = {return_arg};
    void *args[] = {NULL};
    bine_group own;
    bine_result result;

    expect_fails(bine_group_wait(&waits->group, NULL), EDEADLK);
    expect_fails(bine_group_admit(&waits->group, 1), EDEADLK);
    expect_fails((bine_group_open(&own, BINE_GROUP_ALL), -1), EDEADLK);
    expect_fails(bine_gather(1, fn, args, &result), EDEADLK);
    expect_fails(bine_map(1, return_arg, args, 1, &result), EDEADLK);
    expect_fails(bine_future_await(waits->future, &result), EDEADLK);
    expect_fails(bine_wait(&waits->future, 1, BINE_ALL_COMPLETED), EDEADLK);
    expect_fails(bine_shield(return_arg, NULL, NULL, &result), EDEADLK);
    expect_fails(bine_join(waits->task, NULL), EDEADLK);
    expect_fails(bine_stop(waits->task, NULL), EDEADLK);
    expect(bine_group_spawn(&waits->group, return_arg, NULL) != NULL); /* it need not wait */
    waits->done = true;
}

LOOP_TEST(a_callback_that_would_wait_is_edeadlk)
{
    struct waits waits = {.future = bine_future_new(NULL), .task = bine_spawn(return_arg, NULL)};
    bine_group_open(&waits.group, BINE_GROUP_ALL);
    expect_ok(bine_call_soon(wait_in_callback, &waits));
    expect_ok(bine_yield());
    expect(waits.done);
    expect_ok(bine_group_wait(&waits.group, NULL));
    expect_ok(bine_future_set(waits.future, NULL));
    bine_future_unref(waits.future);
    expect_ok(bine_join(waits.task, NULL));
}

SUPPORT_MAIN("errno", accept_says_why_it_took_nobody, a_system_without_descriptors_is_enfile,
             listen_says_that_it_may_not, a_datagram_that_is_too_long_is_emsgsize,
             open_refuses_a_path_that_is_too_long, dial_and_connect_say_what_the_network_said,
             dial_says_why_a_name_was_not_found, futures_without_memory_are_not_made,
             groups_without_memory_end_the_children_that_they_have, a_callback_that_would_wait_is_edeadlk)
