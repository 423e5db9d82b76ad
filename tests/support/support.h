/* SPDX-License-Identifier: MIT
 *
 * What every test program shares.
 *
 * A failed ck_assert() must not leave a task's stack by longjmp, so inside tasks the expect_...() macros are
 * used: they record file, line and both values, go on, and are asserted in the test's main thread by
 * support_settle(), which every run_...() helper and the fixture's end call.  Check stays in fork mode.
 *
 * The fixture compares descriptors, mappings and tasks before and after each test.  Mappings and heap
 * blocks are those of the library and the test (fault.c counts them at the wrapped calls), not libc's own.
 *
 * A test program is one file:
 *
 *     LOOP_TEST(sleep_zero_yields_once) { expect_int(bine_sleep(0), ==, 0); }
 *     SUPPORT_MAIN("task", sleep_zero_yields_once)
 *
 * and is compiled with -Iinclude -Isrc -Itests and linked statically with libbine.a, every file of
 * tests/support, Check, and one -Wl,--wrap= for each line of wrap.list. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Expectations: from any thread, task or callback; those that are functions say whether they held --- */

#define expect(condition) support_expect((condition), __FILE__, __LINE__, #condition)
#define expect_int(a, op, b) \
    SUPPORT_COMPARE(intmax_t, (intmax_t)(a), op, (intmax_t)(b), #a " " #op " " #b, "%jd", "%jd")
#define expect_uint(a, op, b) \
    SUPPORT_COMPARE(uintmax_t, (uintmax_t)(a), op, (uintmax_t)(b), #a " " #op " " #b, "%ju", "%ju")
#define expect_ptr(a, op, b) \
    SUPPORT_COMPARE(const void *, (const void *)(a), op, (const void *)(b), #a " " #op " " #b, "%p", "%p")
#define expect_str(a, b) support_expect_str((a), (b), __FILE__, __LINE__, #a " is " #b)
/* Does the text hold the piece. */
#define expect_has(text, piece) support_expect_has((text), (piece), __FILE__, __LINE__, #text " has " #piece)
/* The call returns -1 and leaves errno so. */
#define expect_fails(call, error) \
    support_expect_fails((errno = 0, (intmax_t)(call)), (error), __FILE__, __LINE__, \
                         #call " fails with " #error)
/* The call returns NULL and leaves errno so. */
#define expect_null(call, error) \
    support_expect_fails((errno = 0, (call) == NULL ? -1 : 0), (error), __FILE__, __LINE__, \
                         #call " is NULL with " #error)
/* The call returns 0. */
#define expect_ok(call) \
    support_expect_ok((errno = 0, (intmax_t)(call)), __FILE__, __LINE__, #call " succeeds")

#define SUPPORT_COMPARE(type, a, op, b, text, format_a, format_b)                                    \
    do {                                                                                             \
        type support_a_ = a;                                                                         \
        type support_b_ = b;                                                                         \
        if (!(support_a_ op support_b_))                                                             \
            support_record(__FILE__, __LINE__, "%s: " format_a " against " format_b, text, support_a_, \
                           support_b_);                                                              \
    } while (0)

bool support_expect(bool holds, const char *file, int line, const char *text);
bool support_expect_str(const char *a, const char *b, const char *file, int line, const char *text);
bool support_expect_has(const char *a, const char *b, const char *file, int line, const char *text);
bool support_expect_fails(intmax_t result, int expected, const char *file, int line, const char *text);
bool support_expect_ok(intmax_t result, const char *file, int line, const char *text);
void support_record(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How many have failed since the last support_settle(). */
unsigned support_failures(void);
/* What they said; and a fresh start, for programs that go on. */
const char *support_recorded(void);
void support_forget(void);
/* Fails the test with all that was recorded; only on a main thread's own stack, outside of a run. */
void support_settle(void);

/* ---- Runs ---------------------------------------------------------------------------------------------- */

/* Runs fn in a loop; expects success and that fn leaves no task behind.  Returns what fn did. */
void *run_in_loop(bine_fn *fn, void *arg);             /* real clock, $BINE_REACTOR */
void *run_virtual(bine_fn *fn, void *arg);             /* virtual clock */
void *run_seeded(uint64_t seed, bine_fn *fn, void *arg); /* virtual clock, seeded schedule */
void *run_options(const bine_options *, bine_fn *fn, void *arg);
/* What the others are made of: records what was wrong, but does not settle. */
void *run_recorded(const bine_options *, bine_fn *fn, void *arg);
/* In a task: runs the others until they all wait.  A few turns are enough when nothing is runnable but they. */
void settle(void);
/* The next run may end with tasks still there. */
void fixture_allow_left_tasks(void);

#define LOOP_TEST(name) SUPPORT_LOOP_TEST_(name, run_in_loop)
#define VIRTUAL_TEST(name) SUPPORT_LOOP_TEST_(name, run_virtual)
#define SUPPORT_LOOP_TEST_(name, run)                             \
    static void name##_body(void);                                \
    static void *name##_task(void *arg)                           \
    {                                                             \
        (void)arg;                                                \
        name##_body();                                            \
        return NULL;                                              \
    }                                                             \
    START_TEST(name)                                              \
    {                                                             \
        run(name##_task, NULL);                                   \
    }                                                             \
    END_TEST                                                      \
    static void name##_body(void)

/* ---- The fixture --------------------------------------------------------------------------------------- */

/* Every test of SUPPORT_MAIN() runs between these two.  Begin makes one empty run first, so that what the
 * library keeps for the process is not taken for a leak; support_warm, if a test program sets it before
 * its tests run, is called in that run too (a first offloaded call starts threads that stay). */
void fixture_begin(void);
void fixture_end(void);
extern void (*support_warm)(void);

/* What it counts, for tests that compare by themselves; heap blocks are not part of its verdict. */
unsigned fixture_fds(void);
size_t fixture_mapped(void);      /* bytes */
long fixture_blocks(void);        /* of the heap */
/* Takes the present state for the one to compare with. */
void fixture_mark(void);
/* Says in a line what is more than at fixture_begin() or fixture_mark(), or NULL. */
const char *fixture_leak(void);

/* ---- Diagnostics --------------------------------------------------------------------------------------- */

/* Catches every report from now on (until the test's process ends). */
struct caught {
    bine_report_kind kind;
    char message[512];
    uint64_t task;
    char name[32];
    char site[256]; /* "" if there is none */
    int error;
};
void reports_catch(void);
void reports_clear(void);
unsigned reports_count(bine_report_kind);
/* The first one of the kind whose message has the piece (NULL: any); NULL: none. */
const struct caught *reports_find(bine_report_kind, const char *piece);
/* The nth of the kind, from 0; NULL: there are not so many. */
const struct caught *reports_nth(bine_report_kind, unsigned n);

/* ---- Children ------------------------------------------------------------------------------------------ */

/* Runs fn in a forked process without core dumps, waits for it, and gives its wait status; what it wrote to
 * standard error is left, ended by NUL, in text. */
int run_child(void (*fn)(void *), void *arg, char *text, size_t size);

/* ---- Small tools --------------------------------------------------------------------------------------- */

/* What the seeded stress programs are: once(seed), with one seed after the other for $SECONDS (5), looking for leaks
 * after each.  Prints how many passed, and the seeds that failed; the exit status. */
int support_stress(void (*once)(uint64_t seed));

/* xorshift64*: the tests' own generator, so that a seed means the same everywhere. */
uint64_t support_random(uint64_t *state);
/* $SEED, or one from the clock; printed. */
uint64_t support_seed(void);
/* $SECONDS, or the default. */
double support_seconds(double otherwise);
/* True under a sanitizer, Valgrind or an emulator, and where tasks are threads: sizes are then reduced, never
 * semantics. */
bool support_slow(void);
/* Under an emulator of user mode (qemu): it translates system calls, and prints lines of its own. */
bool support_emulated(void);
/* The test cannot be done here, and why: a line that tests/run.sh counts and shows.  Then it returns. */
void support_skip(const char *test, const char *why);
/* Under AddressSanitizer, ThreadSanitizer or Valgrind, which own the signals or the address space. */
bool support_instrumented(void);
bool support_under_valgrind(void);

int support_main(const char *suite, const TTest *const *tests, size_t n);
#define SUPPORT_MAIN(suite, ...)                                                  \
    int main(void)                                                                \
    {                                                                             \
        const TTest *const support_tests_[] = {__VA_ARGS__};                      \
        return support_main(suite, support_tests_, sizeof support_tests_ / sizeof support_tests_[0]); \
    }

#ifdef __cplusplus
}
#endif
#endif
