/* SPDX-License-Identifier: MIT
 *
 * Expectations, runs, the fixture, caught reports and children: see support.h. */
#define _GNU_SOURCE
#include "support/support.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "support/fault.h"

/* ---- Expectations -------------------------------------------------------------------------------------- */

enum { RECORDED_TEXT = 8192 };

static struct {
    pthread_mutex_t lock;
    unsigned failures;
    size_t length;
    char text[RECORDED_TEXT];
} recorded = {.lock = PTHREAD_MUTEX_INITIALIZER};

void support_record(const char *file, int line, const char *format, ...)
{
    int saved = errno;
    pthread_mutex_lock(&recorded.lock);
    recorded.failures++;
    char one[768];
    va_list list;
    va_start(list, format);
    vsnprintf(one, sizeof one, format, list);
    va_end(list);
    size_t room = sizeof recorded.text - recorded.length;
    int n = snprintf(recorded.text + recorded.length, room, "\n    %s:%d: %s", file, line, one);
    if (n > 0)
        recorded.length += (size_t)n < room ? (size_t)n : room - 1;
    pthread_mutex_unlock(&recorded.lock);
    errno = saved;
}

bool support_expect(bool holds, const char *file, int line, const char *text)
{
    if (!holds)
        support_record(file, line, "%s (errno %d)", text, errno);
    return holds;
}

bool support_expect_str(const char *a, const char *b, const char *file, int line, const char *text)
{
    bool holds = a && b ? strcmp(a, b) == 0 : a == b;
    if (!holds)
        support_record(file, line, "%s: \"%s\" against \"%s\"", text, a ? a : "(null)", b ? b : "(null)");
    return holds;
}

bool support_expect_has(const char *a, const char *b, const char *file, int line, const char *text)
{
    bool holds = a && b && strstr(a, b);
    if (!holds)
        support_record(file, line, "%s: \"%s\" in \"%s\"", text, b ? b : "(null)", a ? a : "(null)");
    return holds;
}

bool support_expect_fails(intmax_t result, int expected, const char *file, int line, const char *text)
{
    int error = errno;
    bool holds = result == -1 && error == expected;
    if (!holds)
        support_record(file, line, "%s: returned %jd with errno %d (%s), expected %d (%s)", text, result,
                       error, strerror(error), expected, strerror(expected));
    return holds;
}

bool support_expect_ok(intmax_t result, const char *file, int line, const char *text)
{
    int error = errno;
    if (result != 0)
        support_record(file, line, "%s: returned %jd with errno %d (%s)", text, result, error,
                       strerror(error));
    return result == 0;
}

unsigned support_failures(void)
{
    pthread_mutex_lock(&recorded.lock);
    unsigned failures = recorded.failures;
    pthread_mutex_unlock(&recorded.lock);
    return failures;
}

const char *support_recorded(void)
{
    return recorded.text;
}

void support_forget(void)
{
    pthread_mutex_lock(&recorded.lock);
    recorded.failures = 0;
    recorded.length = 0;
    recorded.text[0] = '\0';
    pthread_mutex_unlock(&recorded.lock);
}

void support_settle(void)
{
    if (support_failures() > 0)
        ck_abort_msg("%u expectations failed:%s", recorded.failures, recorded.text);
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

static _Atomic bool left_tasks_allowed; /* runs may end on several threads */

struct guarded {
    bine_fn *fn;
    void *arg;
};

/* The first task: counts who is left when the test's own function has returned. */
static void *guard(void *arg)
{
    struct guarded *guarded = arg;
    void *value = guarded->fn(guarded->arg);
    size_t left = bine_tasks(NULL, 0);
    if (!left_tasks_allowed && left != 1)
        support_record(__FILE__, __LINE__, "the run ends with %zu tasks beside the first", left - 1);
    return value;
}

void *run_recorded(const bine_options *options, bine_fn *fn, void *arg)
{
    struct guarded guarded = {fn, arg};
    bine_result result = {NULL, 0};
    int done = bine_run_with(options, guard, &guarded, &result);
    if (done != 0)
        support_record(__FILE__, __LINE__, "the run failed with errno %d (%s)", errno, strerror(errno));
    if (result.error != 0)
        support_record(__FILE__, __LINE__, "the first task failed with %d (%s)", result.error,
                       strerror(result.error));
    left_tasks_allowed = false;
    return result.value;
}

void *run_options(const bine_options *options, bine_fn *fn, void *arg)
{
    void *value = run_recorded(options, fn, arg);
    support_settle();
    return value;
}

void *run_in_loop(bine_fn *fn, void *arg)
{
    return run_options(NULL, fn, arg);
}

void *run_virtual(bine_fn *fn, void *arg)
{
    return run_seeded(0, fn, arg);
}

void *run_seeded(uint64_t seed, bine_fn *fn, void *arg)
{
    bine_options options = BINE_OPTIONS_INIT;
    options.virtual_clock = true;
    options.seed = seed;
    return run_options(&options, fn, arg);
}

void settle(void)
{
    for (int i = 0; i < 5; i++)
        bine_yield();
}

void fixture_allow_left_tasks(void)
{
    left_tasks_allowed = true;
}

/* ---- The fixture --------------------------------------------------------------------------------------- */

static struct {
    unsigned fds;
    size_t mapped;
    char open[2048]; /* which descriptors, for the message */
} before;

void (*support_warm)(void);

static unsigned list_fds(char *text, size_t size)
{
    unsigned n = 0;
    size_t length = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    if (size > 0)
        text[0] = '\0';
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
            continue;
        n++;
        char path[300], target[200] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (readlink(path, target, sizeof target - 1) < 0)
            target[0] = '\0';
        if (length < size) {
            int more = snprintf(text + length, size - length, " %s=%s", entry->d_name, target);
            length += more > 0 ? (size_t)more : 0;
        }
    }
    closedir(dir);
    return n;
}

unsigned fixture_fds(void)
{
    return list_fds(NULL, 0);
}

size_t fixture_mapped(void)
{
    return fault_mapped();
}

long fixture_blocks(void)
{
    return fault_blocks();
}

static void *nothing(void *arg)
{
    (void)arg;
    if (support_warm)
        support_warm();
    return NULL;
}

void fixture_begin(void)
{
    ck_assert_int_eq(bine_run(nothing, NULL, NULL), 0);
    fixture_mark();
}

void fixture_mark(void)
{
    before.mapped = fixture_mapped();
    before.fds = list_fds(before.open, sizeof before.open);
}

const char *fixture_leak(void)
{
    static char text[5000];
    char now[2048];
    unsigned fds = list_fds(now, sizeof now);
    if (fds != before.fds) {
        snprintf(text, sizeof text, "%u descriptors before, %u after:%s /%s", before.fds, fds, before.open,
                 now);
        return text;
    }
    size_t mapped = fixture_mapped();
    if (mapped > before.mapped) {
        snprintf(text, sizeof text, "%zu bytes mapped before, %zu after", before.mapped, mapped);
        return text;
    }
    return NULL;
}

enum { LEAK_LOOKS = 2000 }; /* of 10 ms */

void fixture_end(void)
{
    support_settle();
    const char *leak = fixture_leak();
    /* What a task has left to an offload thread, that thread may still be about to close. */
    for (int i = 0; leak && i < LEAK_LOOKS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * BINE_MS}, NULL);
        leak = fixture_leak();
    }
    if (leak)
        ck_abort_msg("leaked: %s", leak);
}

/* ---- Diagnostics --------------------------------------------------------------------------------------- */

enum { CAUGHT_MAX = 256 };

static struct {
    pthread_mutex_t lock;
    unsigned n;
    struct caught each[CAUGHT_MAX];
} caught = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void catch_report(const bine_report *report)
{
    pthread_mutex_lock(&caught.lock);
    if (caught.n < CAUGHT_MAX) {
        struct caught *c = &caught.each[caught.n++];
        c->kind = report->kind;
        c->task = report->task;
        c->error = report->error;
        snprintf(c->message, sizeof c->message, "%s", report->message ? report->message : "(null)");
        snprintf(c->name, sizeof c->name, "%s", report->name ? report->name : "(null)");
        snprintf(c->site, sizeof c->site, "%s", report->site ? report->site : "");
    }
    pthread_mutex_unlock(&caught.lock);
}

void reports_catch(void)
{
    bine_set_report(catch_report);
}

void reports_clear(void)
{
    pthread_mutex_lock(&caught.lock);
    caught.n = 0;
    pthread_mutex_unlock(&caught.lock);
}

unsigned reports_count(bine_report_kind kind)
{
    unsigned n = 0;
    pthread_mutex_lock(&caught.lock);
    for (unsigned i = 0; i < caught.n; i++)
        n += caught.each[i].kind == kind;
    pthread_mutex_unlock(&caught.lock);
    return n;
}

const struct caught *reports_find(bine_report_kind kind, const char *piece)
{
    const struct caught *found = NULL;
    pthread_mutex_lock(&caught.lock);
    for (unsigned i = 0; i < caught.n && !found; i++)
        if (caught.each[i].kind == kind && (!piece || strstr(caught.each[i].message, piece)))
            found = &caught.each[i];
    pthread_mutex_unlock(&caught.lock);
    return found;
}

const struct caught *reports_nth(bine_report_kind kind, unsigned n)
{
    const struct caught *found = NULL;
    pthread_mutex_lock(&caught.lock);
    for (unsigned i = 0; i < caught.n && !found; i++)
        if (caught.each[i].kind == kind && n-- == 0)
            found = &caught.each[i];
    pthread_mutex_unlock(&caught.lock);
    return found;
}

/* ---- Children ------------------------------------------------------------------------------------------ */

enum { CHILD_SECONDS = 150 }; /* less than a test may take */

int run_child(void (*fn)(void *), void *arg, char *text, size_t size)
{
    int fd[2];
    ck_assert_int_eq(pipe(fd), 0);
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(fd[1], 2);
        close(fd[0]);
        close(fd[1]);
        alarm(CHILD_SECONDS);
        fn(arg);
        _exit(0);
    }
    close(fd[1]);
    size_t length = 0;
    char rest[512];
    for (;;) {
        bool full = length + 1 >= size;
        ssize_t n = full ? read(fd[0], rest, sizeof rest) : read(fd[0], text + length, size - 1 - length);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            break;
        if (n > 0 && !full)
            length += (size_t)n;
    }
    if (size > 0)
        text[length] = '\0';
    close(fd[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---- Small tools --------------------------------------------------------------------------------------- */

uint64_t support_random(uint64_t *state)
{
    uint64_t x = *state ? *state : 0x2545f4914f6cdd1d;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1d;
}

uint64_t support_seed(void)
{
    const char *text = getenv("SEED");
    uint64_t seed;
    if (text && *text) {
        seed = strtoull(text, NULL, 0);
    } else {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = ((uint64_t)now.tv_sec * 1000003u) ^ (uint64_t)now.tv_nsec ^ ((uint64_t)getpid() << 32);
        seed %= 1000000007;
    }
    if (seed == 0)
        seed = 1;
    printf("SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

double support_seconds(double otherwise)
{
    const char *text = getenv("SECONDS");
    double seconds = text && *text ? strtod(text, NULL) : 0;
    return seconds > 0 ? seconds : otherwise;
}

int support_stress(void (*once)(uint64_t seed))
{
    enum { ENOUGH = 5 /* failures */ };
    const double seconds = support_seconds(5);
    uint64_t seed = support_seed();
    unsigned runs = 0, failed = 0;
    once(seed); /* what a process needs once stays */
    fixture_mark();
    long blocks = fixture_blocks();
    const bine_ns begin = bine_now();
    for (; (double)(bine_now() - begin) < seconds * (double)BINE_SECOND && failed < ENOUGH; runs++, seed++) {
        once(seed);
        const char *leak = fixture_leak();
        if (leak)
            support_record(__FILE__, __LINE__, "leaked: %s", leak);
        expect_int(fixture_blocks(), ==, blocks);
        if (support_failures()) {
            failed++;
            printf("FAIL with SEED=%llu:%s\n", (unsigned long long)seed, support_recorded());
            fflush(stdout);
            support_forget();
            fixture_mark();
            blocks = fixture_blocks();
        }
    }
    printf("%u passed, %u failed\n", runs - failed, failed);
    return failed ? 1 : 0;
}

/* Valgrind preloads a library of its own into what it runs; without its headers there is no other trace. */
bool support_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

bool support_instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    return support_under_valgrind();
}

/* qemu-user shows its own name where a process would see its program's; the Makefile says it too. */
bool support_emulated(void)
{
    char name[16] = "";
    const char *said = getenv("BINE_EMULATED");
    if (said && *said)
        return true;
    FILE *file = fopen("/proc/self/comm", "r");
    bool found = file && fgets(name, sizeof name, file) && strncmp(name, "qemu-", 5) == 0;
    if (file)
        fclose(file);
    return found;
}

bool support_slow(void)
{
#ifdef BINE_CONTEXT_THREAD
    return true;
#else
    return support_instrumented() || support_emulated();
#endif
}

void support_skip(const char *test, const char *why)
{
    printf("skipped: %s (%s)\n", test, why);
    fflush(stdout);
}

/* A test may hang, but not for ever.  tests/run_one.sh gives a program more, so that the test is named. */
enum { TEST_SECONDS = 200, MOST_TESTS = 100 };

static double test_seconds(void)
{
    const char *text = getenv("BINE_TEST_SECONDS");
    double seconds = text && *text ? strtod(text, NULL) : 0;
    return seconds > 0 ? seconds : TEST_SECONDS;
}

/* Valgrind lets the main stack grow when it is touched, but not to deliver a signal there. */
static __attribute__((constructor, noinline)) void touch_stack(void)
{
    volatile char room[256 << 10];
    for (size_t i = sizeof room; i > 0; i -= 1024)
        room[i - 1] = 0;
}

/* Whatever it was started from: under nohup(1) and in a shell's background signals are ignored, and some
 * tests need more descriptors than the 1024 that are common. */
static __attribute__((constructor)) void be_as_always(void)
{
    enum { DESCRIPTORS = 4096 };
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,
                                  SIGCHLD, SIGUSR1, SIGUSR2, SIGURG};
    struct rlimit limit;
    sigset_t none;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* In the program's first process, before each test in turn: whoever has to end a program that hangs learns in
 * which test that was. */
static const char *begun[MOST_TESTS];
static unsigned begun_n;

static void log_test(void)
{
    const char *path = getenv("BINE_TEST_LOG");
    FILE *file = path && *path && begun_n < MOST_TESTS ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", begun[begun_n++]);
        fclose(file);
    }
}

int support_main(const char *suite_name, const TTest *const *tests, size_t n)
{
    const char *only = getenv("BINE_TEST"); /* names of tests, to look at one alone */
    Suite *suite = suite_create(suite_name);
    for (size_t i = 0, chosen = 0; i < n; i++) {
        if (only && *only && !strstr(only, tests[i]->name))
            continue;
        if (chosen < MOST_TESTS)
            begun[chosen++] = tests[i]->name;
        TCase *one = tcase_create(tests[i]->name);
        tcase_set_timeout(one, test_seconds());
        tcase_add_unchecked_fixture(one, log_test, NULL);
        tcase_add_checked_fixture(one, fixture_begin, fixture_end);
        tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
