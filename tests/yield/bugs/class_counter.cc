/* SPDX-License-Identifier: MIT
 *
 * C++: a method reads its object, logs through a virtual call that yields, and writes back.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

struct Log {
    virtual ~Log() = default;
    virtual void line() const = 0;
};
struct RemoteLog final : Log {
    void line() const override { bine_sleep(BINE_MS); /* SITE gave-up */ }
};

class Counter {
    long value_ = 0;

  public:
    void add(long n, const Log &log)
    {
#ifdef FIXED
        log.line();
        value_ += n;
#else
        long was = value_; /* SITE looked */
        log.line();
        value_ = was + n; /* SITE wrote acted */
#endif
    }
    long value() const { return value_; }
};

static Counter counter;

static void *task(void *arg)
{
    RemoteLog log;
    counter.add(2, log);
    return arg;
}

static void *program(void *arg)
{
    both(task, NULL, task, NULL);
    EXPECT(counter.value() == 4);
    return arg;
}
PROGRAM(program)
