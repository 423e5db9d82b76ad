/* SPDX-License-Identifier: MIT
 *
 * A line is put at the end of the notice, once the new notice is stored: the other's line is lost.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

#include <string>

class board {
    std::string notice_;

    void store(const std::string &notice)
    {
        stored += notice.size();
        bine_sleep(BINE_MS); /* SITE gave-up */
    }

public:
    std::size_t stored = 0;
#ifdef FIXED
    bine_mutex turn = BINE_MUTEX_INIT;
#endif

    void add(const char *line)
    {
#ifdef FIXED
        bine_mutex_lock(&turn);
#endif
        std::string whole = notice_ + line; /* SITE looked */
        store(whole);
        notice_ = whole; /* SITE wrote acted */
#ifdef FIXED
        bine_mutex_unlock(&turn);
#endif
    }
    std::size_t size() const { return notice_.size(); }
};

static void *poster(void *arg)
{
    static_cast<board *>(arg)->add("a line\n");
    return arg;
}

static void *program(void *arg)
{
    board notices;
    both(poster, &notices, poster, &notices);
    EXPECT(notices.size() == 14);
    return arg;
}
PROGRAM(program)
