/* SPDX-License-Identifier: MIT
 *
 * The index is loaded when it is first needed: by two at once, and one of them is thrown away in use.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

#include <memory>
#include <vector>

class library {
    std::shared_ptr<std::vector<int>> index_;

    std::shared_ptr<std::vector<int>> load()
    {
        loaded++;
        bine_sleep(BINE_MS); /* SITE gave-up */
        return std::make_shared<std::vector<int>>(3, loaded);
    }

public:
    int loaded = 0;
#ifdef FIXED
    bine_mutex turn = BINE_MUTEX_INIT;
#endif

    int first()
    {
#ifdef FIXED
        bine_mutex_lock(&turn);
#endif
        if (index_ == nullptr) /* SITE looked */
            index_ = load();   /* SITE wrote acted */
        int number = index_->front();
#ifdef FIXED
        bine_mutex_unlock(&turn);
#endif
        return number;
    }
};

static void *reader(void *arg)
{
    EXPECT(static_cast<library *>(arg)->first() > 0);
    return nullptr;
}

static void *program(void *arg)
{
    library books;
    both(reader, &books, reader, &books);
    EXPECT(books.loaded == 1);
    return arg;
}
PROGRAM(program)
