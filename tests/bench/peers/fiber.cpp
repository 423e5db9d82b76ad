/* SPDX-License-Identifier: MIT
 *
 * Boost.Fiber's side of the bench: fiber yield N | spawn | wave | crowd N | cold N.
 *
 * Round-robin scheduler, one thread.  Stacks come from its own pool where the work is about reuse, and
 * are guarded where the work is about guards; 64 KiB, as bine's.  "crowd" is as in bine/tasks.c; the pool
 * grows by at most 1024 stacks at a time then, lest it ask for more than the system grants. */
#include <boost/fiber/all.hpp>

#include <algorithm>
#include <vector>

#include "../measure.h"

namespace fibers = boost::fibers;

static const std::size_t stack_size = 64 * 1024;

static void measure_yield(long tasks)
{
    const long rounds = 1000000 / tasks;
    fibers::pooled_fixedsize_stack pool(stack_size);
    std::vector<fibers::fiber> all;
    for (long i = 0; i < tasks; i++)
        all.emplace_back(std::allocator_arg, pool, [rounds] {
            for (long k = 0; k < rounds; k++)
                boost::this_fiber::yield();
        });
    const int64_t start = cpu_now();
    for (auto &one : all)
        one.join();
    figure("yield", double(cpu_now() - start) / double(rounds * tasks), "ns");
}

static void measure_spawn(long wave)
{
    const long rounds = 300000 / wave;
    fibers::pooled_fixedsize_stack pool(stack_size);
    std::vector<fibers::fiber> all(static_cast<std::size_t>(wave));
    int64_t start = 0;
    for (long k = -rounds / 10; k < rounds; k++) {
        if (k == 0)
            start = cpu_now();
        for (auto &one : all)
            one = fibers::fiber(std::allocator_arg, pool, [] {});
        for (auto &one : all)
            one.join();
    }
    figure("spawn", double(cpu_now() - start) / double(rounds * wave), "ns");
}

static void measure_crowd(long tasks)
{
    const long yields = 2000000, lives = 300000, least_rounds = 3;
    const long rounds = std::max(yields / tasks, least_rounds), waves = lives / tasks + 1;
    fibers::pooled_fixedsize_stack stacks(stack_size, 32, 1024);
    std::vector<fibers::fiber> all(static_cast<std::size_t>(tasks));
    long started = 0;
    int64_t memory = memory_of(0), start = 0;
    const auto yielder = [&] {
        if (++started == tasks) {
            memory = memory_of(0) - memory;
            start = cpu_now();
        }
        while (started < tasks)
            boost::this_fiber::yield();
        for (long k = 0; k < rounds; k++)
            boost::this_fiber::yield();
    };
    const auto wave = [&](auto fn) {
        for (auto &one : all)
            one = fibers::fiber(std::allocator_arg, stacks, fn);
        for (auto &one : all)
            one.join();
    };
    wave(yielder);
    figure("yield", double(cpu_now() - start) / (double(rounds) * double(tasks)), "ns");
    figure("memory", double(memory) / double(tasks), "bytes");
    wave([] {});
    start = cpu_now();
    for (long k = 0; k < waves; k++)
        wave([] {});
    figure("spawn", double(cpu_now() - start) / (double(waves) * double(tasks)), "ns");
}

static void measure_cold(long tasks)
{
    const int64_t start = cpu_now();
    {
        fibers::protected_fixedsize_stack guarded(stack_size);
        std::vector<fibers::fiber> all(static_cast<std::size_t>(tasks));
        bool stop = false;
        long started = 0;
        fibers::mutex mutex;
        fibers::condition_variable end;
        for (auto &one : all)
            one = fibers::fiber(std::allocator_arg, guarded, [&] {
                started++;
                std::unique_lock<fibers::mutex> lock(mutex);
                end.wait(lock, [&] { return stop; });
            });
        while (started < tasks)
            boost::this_fiber::yield();
        figure("cold", double(cpu_now() - start) / double(tasks), "ns");
        stop = true;
        end.notify_all();
        for (auto &one : all)
            one.join();
    }
    figure("life", double(cpu_now() - start) / double(tasks), "ns");
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    if (!strcmp(work, "yield"))
        measure_yield(count_argument(argc, argv, 2, 2));
    else if (!strcmp(work, "spawn"))
        measure_spawn(1);
    else if (!strcmp(work, "wave"))
        measure_spawn(1000);
    else if (!strcmp(work, "crowd"))
        measure_crowd(count_argument(argc, argv, 2, 1000));
    else if (!strcmp(work, "cold"))
        measure_cold(count_argument(argc, argv, 2, 20000));
    else
        return fprintf(stderr, "usage: fiber yield N | spawn | wave | crowd N | cold N\n"), 2;
    return 0;
}
