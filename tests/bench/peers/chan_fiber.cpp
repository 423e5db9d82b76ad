/* SPDX-License-Identifier: MIT
 *
 * Boost.Fiber's side of the works about channels and locks: chan-fiber meet | buffer | mutex.
 *
 * Round-robin scheduler, one thread.  Its buffered channel of 128 has room for 127; it has no select. */
#include <boost/fiber/all.hpp>

#include "../measure.h"

namespace fibers = boost::fibers;

enum { MESSAGES = 3000000, BUFFER = 128, LOCKS = 1000000 };

template <typename Channel> static void measure_one_way(Channel &channel)
{
    int64_t sum = 0, value = 0;
    const int64_t start = cpu_now();
    fibers::fiber sender([&channel] {
        for (int64_t i = 0; i < MESSAGES; i++)
            if (channel.push(i) != fibers::channel_op_status::success)
                abort();
    });
    for (int64_t i = 0; i < MESSAGES; i++) {
        if (channel.pop(value) != fibers::channel_op_status::success)
            abort();
        sum += value;
    }
    figure("message", double(cpu_now() - start) / MESSAGES, "ns");
    if (sum != int64_t(MESSAGES) * (MESSAGES - 1) / 2)
        abort();
    sender.join();
}

static void measure_mutex()
{
    fibers::mutex mutex;
    const auto hold = [&mutex] {
        for (int i = 0; i < LOCKS; i++) {
            mutex.lock();
            boost::this_fiber::yield();
            mutex.unlock();
        }
    };
    const int64_t start = cpu_now();
    fibers::fiber one(hold), two(hold);
    one.join();
    two.join();
    figure("lock", double(cpu_now() - start) / (2.0 * LOCKS), "ns");
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    if (!strcmp(work, "meet")) {
        fibers::unbuffered_channel<int64_t> channel;
        measure_one_way(channel);
    } else if (!strcmp(work, "buffer")) {
        fibers::buffered_channel<int64_t> channel(BUFFER);
        measure_one_way(channel);
    } else if (!strcmp(work, "mutex")) {
        measure_mutex();
    } else {
        return fprintf(stderr, "usage: chan-fiber meet | buffer | mutex\n"), 2;
    }
    return 0;
}
