/* SPDX-License-Identifier: MIT
 *
 * Atomic blocks, invariants, the explicit style: what is told, in each mode; what a block costs when it is switched
 * off; what a compiler says of a call that yields inside one. */
#include "support/support.h"

#include <bine/check.h>

#include <sys/wait.h>

static int value;

/* Called through pointers: a direct call would not compile. */
static int (*volatile yield)(void) = bine_yield;
static int (*volatile rest)(bine_ns) = bine_sleep;
static int (*volatile send_to)(bine_chan *, const void *) = bine_chan_send;
static int (*volatile serve)(int, bine_conn_fn *, void *, const bine_serve_options *, size_t) = bine_serve_sized;
static void (*volatile might_yield)(void) = bine_might_yield;

static __attribute__((noinline)) void deep(void)
{
    yield();
    value++;
}

static unsigned told(void)
{
    return reports_count(BINE_REPORT_ATOMIC) + reports_count(BINE_REPORT_INVARIANT);
}

/* Who was told this, and where it was. */
static const char *told_of(bine_report_kind kind, const char *what)
{
    bool placed = !support_emulated(); /* an emulator has its own idea of which file it runs */
    const struct caught *report = reports_find(kind, placed ? what : NULL);
    expect(report != NULL);
    if (!report)
        return "";
    if (placed)
        expect_has(report->message, "check_check.c:");
    return report->name;
}

/* ---- Atomic blocks --------------------------------------------------------------------------------------- */

VIRTUAL_TEST(a_block_without_a_switch_says_nothing)
{
    reports_catch();
    uint64_t before = bine_check_count();
    BINE_ATOMIC
    {
        value = 1;
        expect(bine_now() >= 0);
        expect(bine_self() != NULL);
        BINE_ATOMIC { value++; }
    }
    expect_int(value, ==, 2);
    yield();
    expect_uint(bine_check_count(), ==, before);
    expect_uint(told(), ==, 0);
}

VIRTUAL_TEST(a_switch_inside_is_told_with_block_call_and_task)
{
    reports_catch();
    bine_task_set_name(bine_self(), "payer");
    BINE_ATOMIC { deep(); }
    expect_uint(told(), ==, 1);
    expect_str(told_of(BINE_REPORT_ATOMIC, "inside BINE_ATOMIC at"), "payer");
    told_of(BINE_REPORT_ATOMIC, "bine_yield()");
    told_of(BINE_REPORT_ATOMIC, "deep()");
}

VIRTUAL_TEST(a_call_that_does_not_switch_this_time_is_told_too)
{
    bine_chan *chan = bine_chan_new(sizeof(int), 4, NULL);
    reports_catch();
    BINE_ATOMIC
    {
        expect_ok(send_to(chan, &value));
        expect_ok(send_to(chan, &value));
        expect_ok(bine_chan_send_try(chan, &value)); /* never switches */
    }
    expect_uint(told(), ==, 2);
    told_of(BINE_REPORT_ATOMIC, "BINE_ATOMIC");
    expect_ok(bine_chan_free(chan));
}

VIRTUAL_TEST(a_call_that_switches_is_told_once)
{
    reports_catch();
    BINE_ATOMIC { expect_ok(rest(BINE_MS)); }
    expect_uint(told(), ==, 1);
    told_of(BINE_REPORT_ATOMIC, "bine_sleep()");
}

VIRTUAL_TEST(a_call_is_told_by_the_name_that_the_program_wrote)
{
    reports_catch();
    BINE_ATOMIC { expect_fails(serve(-1, NULL, NULL, NULL, 0), EINVAL); } /* what bine_serve() stands for */
    expect_uint(told(), ==, 1);
    told_of(BINE_REPORT_ATOMIC, "bine_serve()");
}

VIRTUAL_TEST(might_yield_is_told_inside_and_nowhere_else)
{
    reports_catch();
    might_yield();
    expect_uint(told(), ==, 0);
    BINE_ATOMIC { might_yield(); }
    expect_uint(told(), ==, 1);
    might_yield();
    expect_uint(told(), ==, 1);
}

static int leave_by(int how)
{
    for (int turn = 0; turn < 2; turn++) {
        BINE_ATOMIC
        {
            value++;
            if (how == 0)
                break; /* the block, not the loop */
            if (how == 1)
                continue;
            if (how == 2)
                return turn;
            if (how == 3)
                goto out;
        }
        value += 10;
    }
    return -1;
out:
    return -2;
}

VIRTUAL_TEST(a_block_is_left_however_it_is_left)
{
    static const int returned[] = {-1, -1, 0, -2}, counted[] = {22, 22, 1, 1};
    reports_catch();
    for (int how = 0; how < 4; how++) {
        value = 0;
        expect_int(leave_by(how), ==, returned[how]);
        expect_int(value, ==, counted[how]);
        yield(); /* outside: nothing to tell */
    }
    expect_uint(told(), ==, 0);
}

VIRTUAL_TEST(an_inner_block_leaves_the_outer_one_closed)
{
    reports_catch();
    BINE_ATOMIC
    {
        BINE_ATOMIC { value++; }
        yield();
    }
    expect_uint(told(), ==, 1);
    yield();
    expect_uint(told(), ==, 1);
}

static void *switch_freely(void *arg)
{
    for (int i = 0; i < 3; i++)
        yield();
    return arg;
}

VIRTUAL_TEST(while_one_switches_inside_the_others_are_free)
{
    reports_catch();
    bine_task *other = bine_spawn(switch_freely, NULL);
    BINE_ATOMIC { yield(); }
    expect_uint(told(), ==, 1); /* of this task, none of the other */
    expect_ok(bine_join(other, NULL));
    expect_uint(told(), ==, 1);
}

START_TEST(a_block_outside_a_run_is_a_block)
{
    value = 0;
    BINE_ATOMIC { value = 5; }
    bine_might_yield();
    ck_assert_int_eq(value, 5);
}
END_TEST

/* ---- Modes ------------------------------------------------------------------------------------------------- */

VIRTUAL_TEST(counting_tells_nobody)
{
    reports_catch();
    uint64_t before = bine_check_count();
    expect_int(bine_set_check_mode(BINE_CHECK_COUNT), ==, BINE_CHECK_REPORT);
    BINE_ATOMIC { yield(); }
    BINE_ATOMIC { yield(); }
    expect_int(bine_set_check_mode(BINE_CHECK_REPORT), ==, BINE_CHECK_COUNT);
    expect_uint(bine_check_count() - before, ==, 2);
    expect_uint(told(), ==, 0);
    expect_int(bine_set_check_mode((bine_check_mode)99), ==, BINE_CHECK_REPORT); /* no mode: nothing changes */
    expect_int(bine_set_check_mode(BINE_CHECK_REPORT), ==, BINE_CHECK_REPORT);
}

static void *switch_inside(void *arg)
{
    BINE_ATOMIC { yield(); }
    return arg;
}

static void abort_on_switch(void *arg)
{
    bine_set_check_mode(BINE_CHECK_ABORT);
    bine_run(switch_inside, arg, NULL);
}

START_TEST(aborting_aborts)
{
    char text[2048];
    int status = run_child(abort_on_switch, NULL, text, sizeof text);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    expect_has(text, "inside BINE_ATOMIC at");
    support_settle();
}
END_TEST

/* ---- Invariants ---------------------------------------------------------------------------------------------- */

struct account {
    int payer, payee, asked;
};

static bool conserved(void *arg)
{
    struct account *account = arg;
    account->asked++;
    return account->payer + account->payee == 100;
}

VIRTUAL_TEST(an_invariant_is_told_when_it_breaks_and_not_again_until_it_held)
{
    struct account account = {100, 0, 0};
    reports_catch();
    expect_ok(bine_invariant("money is conserved", conserved, &account));
    bine_yield();
    expect_int(account.asked, >=, 1);
    expect_uint(told(), ==, 0);
    account.payer -= 70;
    bine_yield();
    bine_yield();
    expect_uint(told(), ==, 1);
    told_of(BINE_REPORT_INVARIANT, "'money is conserved'");
    account.payee += 70;
    bine_yield();
    expect_uint(told(), ==, 1);
    account.payee++;
    bine_yield();
    expect_uint(told(), ==, 2);
    expect_ok(bine_invariant_drop(conserved, &account));
    int asked = account.asked;
    bine_yield();
    expect_int(account.asked, ==, asked);
}

static void *spoil(void *arg)
{
    struct account *account = arg;
    account->payer = 0;
    bine_yield();
    account->payer = 100;
    return NULL;
}

START_TEST(an_invariant_may_be_stated_before_the_run)
{
    struct account account = {100, 0, 0};
    reports_catch();
    ck_assert_int_eq(bine_invariant("stated early", conserved, &account), 0);
    run_virtual(spoil, &account);
    ck_assert_int_eq(bine_invariant_drop(conserved, &account), 0);
    ck_assert_uint_eq(told(), 1);
    ck_assert_int_gt(account.asked, 0);
}
END_TEST

static bool yields_inside(void *arg)
{
    *(int *)arg = bine_yield() < 0 ? errno : 0;
    return true;
}

VIRTUAL_TEST(an_invariant_cannot_yield)
{
    int error = 0;
    expect_ok(bine_invariant("yields", yields_inside, &error));
    bine_yield();
    expect_ok(bine_invariant_drop(yields_inside, &error));
    expect_int(error, ==, EDEADLK);
}

START_TEST(what_is_wrong_with_a_declaration)
{
    int place;
    expect_fails(bine_invariant(NULL, conserved, NULL), EINVAL);
    expect_fails(bine_invariant("nothing", NULL, NULL), EINVAL);
    expect_fails(bine_invariant_drop(conserved, NULL), ENOENT);
    expect_fails(bine_together(NULL, &place, sizeof place), EINVAL);
    expect_fails(bine_together("group", NULL, sizeof place), EINVAL);
    expect_fails(bine_together("group", &place, 0), EINVAL);
    expect_ok(bine_together("group", &place, sizeof place));
    expect_fails(bine_benign(NULL, sizeof place, "why"), EINVAL);
    expect_fails(bine_benign(&place, 0, "why"), EINVAL);
    expect_fails(bine_benign(&place, sizeof place, ""), EINVAL);
    expect_fails(bine_benign(&place, sizeof place, NULL), EINVAL);
    expect_ok(bine_benign(&place, sizeof place, "statistics only"));
    support_settle();
}
END_TEST

/* ---- The explicit style ------------------------------------------------------------------------------------- */

static bine_task *spawn_explicit(bine_fn *fn, void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.style = BINE_EXPLICIT;
    attr.name = "explicit";
    return bine_spawn_with(&attr, fn, arg);
}

static void *awaits(void *arg)
{
    expect_ok(bine_await(bine_yield()));
    expect_ok(bine_await(bine_sleep(BINE_MS)));
    bine_await((void)deep());
    return (void *)(intptr_t)(bine_await(3) + bine_await(bine_await(4) + (arg != NULL)));
}

VIRTUAL_TEST(what_is_awaited_is_not_told)
{
    bine_result result = {NULL, 0};
    reports_catch();
    expect_ok(bine_join(spawn_explicit(awaits, NULL), &result));
    expect_int((intptr_t)result.value, ==, 7);
    expect_uint(told(), ==, 0);
}

static void *forgets(void *arg)
{
    bine_yield();
    bine_await(bine_yield());
    deep();
    return arg;
}

VIRTUAL_TEST(each_switch_that_is_not_awaited_is_told)
{
    reports_catch();
    bine_task *other = bine_spawn(switch_freely, NULL);
    expect_ok(bine_join(spawn_explicit(forgets, NULL), NULL));
    expect_ok(bine_join(other, NULL));
    expect_uint(told(), ==, 2);
    expect_str(told_of(BINE_REPORT_ATOMIC, "outside bine_await()"), "explicit");
    told_of(BINE_REPORT_ATOMIC, "deep()");
}

static void *awaits_in_a_block(void *arg)
{
    BINE_ATOMIC { bine_await(yield()); }
    return arg;
}

VIRTUAL_TEST(an_atomic_block_holds_against_await)
{
    reports_catch();
    expect_ok(bine_join(spawn_explicit(awaits_in_a_block, NULL), NULL));
    expect_uint(told(), ==, 1);
    told_of(BINE_REPORT_ATOMIC, "BINE_ATOMIC");
}

static void *counts_to_two(bine_gen *gen, void *arg)
{
    for (intptr_t i = 1; i <= 2; i++) {
        bine_await(bine_yield());
        bine_gen_yield(gen, (void *)i, NULL);
    }
    return arg;
}

static void *computes(bine_gen *gen, void *arg)
{
    for (intptr_t i = 1; i <= 3; i++)
        if (bine_gen_yield(gen, (void *)i, NULL) != 0)
            break;
    return arg;
}

/* To ask for a value does not switch, if the body does not. */
VIRTUAL_TEST(a_generator_may_be_asked_inside)
{
    bine_gen *gen = bine_gen_new(computes, NULL), *switches = bine_gen_new(counts_to_two, NULL);
    intptr_t sum = 0;
    void *v;
    reports_catch();
    BINE_ATOMIC
    {
        BINE_FOR_EACH(number, gen) { sum += (intptr_t)number; }
    }
    expect_int(sum, ==, 6);
    expect_uint(told(), ==, 0);
    BINE_ATOMIC { expect_int(bine_gen_next(switches, &v), ==, 1); }
    expect_uint(told(), ==, 1);
    told_of(BINE_REPORT_ATOMIC, "BINE_ATOMIC");
    bine_gen_free(gen);
    bine_gen_free(switches);
}

static void *uses_the_block_forms(void *arg)
{
    bine_gen *gen = bine_gen_new(counts_to_two, NULL);
    intptr_t sum = 0;
    BINE_FOR_EACH_AWAIT(v, gen) { sum += (intptr_t)v; }
    bine_await((bine_gen_free(gen), 0));
    BINE_GROUP_AWAIT(group, BINE_GROUP_ALL) { bine_group_spawn(&group, switch_freely, NULL); }
    (void)arg;
    return (void *)sum;
}

VIRTUAL_TEST(the_block_forms_wait_as_awaited)
{
    bine_result result = {NULL, 0};
    reports_catch();
    expect_ok(bine_join(spawn_explicit(uses_the_block_forms, NULL), &result));
    expect_int((intptr_t)result.value, ==, 3);
    expect_uint(told(), ==, 0);
}

static void *uses_the_plain_forms(void *arg)
{
    BINE_GROUP(group, BINE_GROUP_ALL) { bine_group_spawn(&group, switch_freely, NULL); }
    return arg;
}

VIRTUAL_TEST(the_plain_group_waits_unmarked)
{
    reports_catch();
    expect_ok(bine_join(spawn_explicit(uses_the_plain_forms, NULL), NULL));
    expect_uint(told(), >=, 1);
    told_of(BINE_REPORT_ATOMIC, "outside bine_await()");
}

/* ---- Compilers ------------------------------------------------------------------------------------------------ */

/* What a command prints, both its streams; its exit status. */
static int run_shell(const char *command, char *out, size_t size)
{
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t n = fread(out, 1, size - 1, pipe);
    out[n] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    return pclose(pipe);
}

static bool have(const char *compiler)
{
    char command[128], out[64];
    snprintf(command, sizeof command, "command -v %s 2>/dev/null", compiler);
    return run_shell(command, out, sizeof out) == 0;
}

/* The tests run from the top of the tree or are told where it is. */
static const char *include_flag(void)
{
    static char flag[512];
    const char *file = __FILE__, *end = strstr(file, "tests/unit/");
    snprintf(flag, sizeof flag, "-I%.*sinclude", (int)(end - file), file);
    return flag;
}

static bool have_headers(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/bine/check.h", include_flag() + 2);
    return access(path, R_OK) == 0;
}

static void with_each_compiler(void (*test)(const char *compiler, const char *language))
{
    static const char *const compilers[][2] = {{"gcc", "c"}, {"clang", "c"}, {"g++", "c++"}, {"clang++", "c++"}};
    unsigned tested = 0;
    if (!have_headers())
        return;
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++)
        if (have(compilers[i][0])) {
            test(compilers[i][0], compilers[i][1]);
            tested++;
        }
    ck_assert_uint_gt(tested, 0);
}

static void refuse(const char *compiler, const char *language)
{
    char command[1024], out[8192], source[] = "/tmp/check_check.XXXXXX";
    int fd = mkstemp(source);
    ck_assert_int_ge(fd, 0);
    dprintf(fd, "#include <bine/io.h>\n#include <bine/check.h>\n"
                "void f(int fd, char *p) { BINE_ATOMIC { bine_read(fd, p, 1); } }\n");
    close(fd);
    snprintf(command, sizeof command, "%s -x %s %s -fsyntax-only %s 2>&1", compiler, language, include_flag(), source);
    int status = run_shell(command, out, sizeof out);
    unlink(source);
    ck_assert_msg(status != 0, "%s accepts a call that yields", compiler);
    ck_assert_msg(strstr(out, "bine_read") != NULL, "%s: %s", compiler, out);
    ck_assert_msg(strstr(out, "BINE_ATOMIC") != NULL, "%s: %s", compiler, out);
    ck_assert_msg(strstr(out, "it may switch tasks") || strstr(out, "this_call_may_switch_tasks"), "%s: %s", compiler,
                  out);
}

START_TEST(a_direct_call_inside_does_not_compile)
{
    with_each_compiler(refuse);
}
END_TEST

/* The manual says which calls yield. */
START_TEST(every_call_that_yields_is_hidden)
{
    char command[2048], out[16384], root[512];
    snprintf(root, sizeof root, "%.*s", (int)(strlen(include_flag() + 2) - strlen("include")), include_flag() + 2);
    if (!have_headers())
        return;
    snprintf(command, sizeof command,
             "cd '%s' && awk -f tools/yields/yielding.awk man/man3/*.3 | sed -n 's/^ *{\"\\(bine_[a-z0-9][a-z0-9_]*\\)\".*false},/"
             "\\1/p' | sed 's/^bine_serve$/bine_serve_sized/' | sort -u | while read -r name; do grep -q \"BINE__NO($name)\" "
             "include/bine/check.h || echo \"not hidden: $name\"; echo looked; done",
             root[0] ? root : ".");
    ck_assert_int_eq(run_shell(command, out, sizeof out), 0);
    ck_assert_msg(strstr(out, "looked") != NULL, "%s", out);
    ck_assert_msg(strstr(out, "not hidden") == NULL, "%s", out);
}
END_TEST

/* The instructions of f(), with the block as %s and without one, are the same. */
static void compare(const char *compiler, const char *language)
{
    char command[1024], with[8192], without[8192];
    for (int blocks = 0; blocks < 2; blocks++) {
        snprintf(command, sizeof command,
                 "printf '#define BINE_CHECK_OFF\\n#include <bine/check.h>\\nint a, b;\\n%svoid f(int n) { %s { a += n; "
                 "b -= n; } }\\n' | %s -x %s %s -O2 -g0 -S -o - - | sed -n '/^\\(f\\|_Z1fi\\):/,/ret/p'",
                 language[1] ? "extern \"C\" " : "", blocks ? "bine_might_yield(); BINE_ATOMIC" : "", compiler, language,
                 include_flag());
        ck_assert_int_eq(run_shell(command, blocks ? with : without, sizeof with), 0);
    }
    ck_assert_msg(strstr(without, "ret") != NULL, "%s: %s", compiler, without);
    ck_assert_str_eq(with, without);
}

START_TEST(switched_off_a_block_costs_no_instruction)
{
    with_each_compiler(compare);
}
END_TEST

SUPPORT_MAIN("check", a_block_without_a_switch_says_nothing, a_switch_inside_is_told_with_block_call_and_task,
             a_call_that_does_not_switch_this_time_is_told_too, a_call_that_switches_is_told_once,
             a_call_is_told_by_the_name_that_the_program_wrote,
             might_yield_is_told_inside_and_nowhere_else, a_block_is_left_however_it_is_left,
             an_inner_block_leaves_the_outer_one_closed, while_one_switches_inside_the_others_are_free,
             a_block_outside_a_run_is_a_block, counting_tells_nobody, aborting_aborts,
             an_invariant_is_told_when_it_breaks_and_not_again_until_it_held,
             an_invariant_may_be_stated_before_the_run, an_invariant_cannot_yield, what_is_wrong_with_a_declaration,
             what_is_awaited_is_not_told, each_switch_that_is_not_awaited_is_told,
             an_atomic_block_holds_against_await, a_generator_may_be_asked_inside,
             the_block_forms_wait_as_awaited, the_plain_group_waits_unmarked,
             a_direct_call_inside_does_not_compile, every_call_that_yields_is_hidden,
             switched_off_a_block_costs_no_instruction)
