/* SPDX-License-Identifier: MIT
 *
 * C++: std::atomic makes each access whole, and the check with the act no more.  Its members are the library's: the
 * lines are those of who calls them.
 * KIND: STALE-CHECK */
#include "../corpus.h"

#include <atomic>

class Seats {
    std::atomic<int> taken_{0};

  public:
    bool take()
    {
#ifdef FIXED
        bine_sleep(BINE_MS);
        if (taken_.load() == 1)
            return false;
        taken_++;
#else
        if (taken_.load() == 1) /* SITE looked */
            return false;
        bine_sleep(BINE_MS); /* SITE gave-up */
        taken_++;            /* SITE wrote acted */
#endif
        return true;
    }
    int taken() const { return taken_; }
};

static Seats seats;

static void *guest(void *arg)
{
    seats.take();
    return arg;
}

static void *program(void *arg)
{
    both(guest, NULL, guest, NULL);
    EXPECT(seats.taken() == 1);
    return arg;
}
PROGRAM(program)
