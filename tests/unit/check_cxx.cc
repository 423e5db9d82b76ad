/* SPDX-License-Identifier: MIT
 *
 * C++: each task has its own exceptions, also while it yields in a catch block or in a destructor that runs
 * because of one; the headers and their block forms work in C++. */
#include "support/support.h"

#include <exception>
#include <stdexcept>
#include <string>

namespace {

std::string trace;

void *throw_and_yield(void *arg)
{
    const std::string mine(static_cast<const char *>(arg));
    for (int round = 0; round < 10; round++) {
        try {
            throw std::runtime_error(mine);
        } catch (const std::runtime_error &caught) {
            for (int i = 0; i < 3; i++) {
                expect_ok(i == 1 ? bine_sleep(BINE_MS) : bine_yield());
                expect(mine == caught.what());
                expect(std::current_exception() != nullptr);
            }
            try {
                throw; /* the one that is being handled here, not the other task's */
            } catch (const std::exception &again) {
                expect(mine == again.what());
                bine_yield();
                expect(mine == again.what());
            }
        }
        expect(std::current_exception() == nullptr);
    }
    return nullptr;
}

struct Yielder {
    int before;
    Yielder() : before(std::uncaught_exceptions()) {}
    ~Yielder()
    {
        expect_int(std::uncaught_exceptions(), ==, before + 1);
        bine_yield();
        bine_sleep(BINE_MS);
        expect_int(std::uncaught_exceptions(), ==, before + 1);
    }
};

void *unwind_and_yield(void *)
{
    for (int round = 0; round < 10; round++) {
        expect_int(std::uncaught_exceptions(), ==, 0);
        try {
            Yielder yielder;
            throw round;
        } catch (int value) {
            expect_int(value, ==, round);
        }
        bine_yield();
    }
    return nullptr;
}

void *see_none(void *)
{
    expect(std::current_exception() == nullptr);
    expect_int(std::uncaught_exceptions(), ==, 0);
    return nullptr;
}

void *throw_through_blocks(void *)
{
    try {
        BINE_TIMEOUT(BINE_SECOND) {
            BINE_SHIELD {
                throw 5;
            }
        }
    } catch (int) {
        trace += "caught";
    }
    expect_int(bine_deadline(), ==, BINE_FOREVER);
    return nullptr;
}

} // namespace

VIRTUAL_TEST(tasks_that_yield_in_catch_blocks_keep_their_own_exceptions)
{
    static char one[] = "one", two[] = "two", three[] = "three";
    bine_task *task[] = {bine_spawn(throw_and_yield, one), bine_spawn(throw_and_yield, two),
                         bine_spawn(throw_and_yield, three)};
    for (bine_task *each : task)
        expect_ok(bine_join(each, nullptr));
}

VIRTUAL_TEST(destructors_may_yield_while_an_exception_is_on_its_way)
{
    bine_task *task[] = {bine_spawn(unwind_and_yield, nullptr), bine_spawn(unwind_and_yield, nullptr)};
    for (bine_task *each : task)
        expect_ok(bine_join(each, nullptr));
}

VIRTUAL_TEST(a_task_spawned_in_a_catch_block_starts_without_an_exception)
{
    bine_task *task = nullptr;
    try {
        throw 1;
    } catch (int) {
        task = bine_spawn(see_none, nullptr);
        expect_ok(bine_join(task, nullptr));
        expect(std::current_exception() != nullptr);
    }
}

VIRTUAL_TEST(an_exception_leaves_scope_blocks_in_order)
{
    trace.clear();
    expect_ok(bine_join(bine_spawn(throw_through_blocks, nullptr), nullptr));
    expect_str(trace.c_str(), "caught");
}

VIRTUAL_TEST(the_initialisers_and_blocks_work_in_cxx)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "c++";
    bine_scope scope;
    BINE_SCOPE(&scope, BINE_MS) {
        bine_task *task = bine_spawn_with(&attr, see_none, nullptr);
        expect_ok(bine_join(task, nullptr));
        expect_fails(bine_sleep(BINE_SECOND), ETIMEDOUT);
    }
    expect(bine_scope_fired(&scope));
    BINE_SHIELD_FOR(BINE_MS)
        expect_fails(bine_sleep(BINE_SECOND), ETIMEDOUT);
}

SUPPORT_MAIN("cxx", tasks_that_yield_in_catch_blocks_keep_their_own_exceptions,
             destructors_may_yield_while_an_exception_is_on_its_way,
             a_task_spawned_in_a_catch_block_starts_without_an_exception,
             an_exception_leaves_scope_blocks_in_order, the_initialisers_and_blocks_work_in_cxx)
