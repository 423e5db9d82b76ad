/* SPDX-License-Identifier: MIT
 *
 * C++: a reference into a vector that grows while its holder waits.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

#include <string>
#include <vector>

static std::vector<int> prices;

static void *reader(void *arg)
{
#ifdef FIXED
    bine_sleep(2 * BINE_MS);
    int &first = prices[0];
#else
    int &first = prices[0];
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
#endif
    first += 1; /* SITE acted */
    return arg;
}

static void *grower(void *arg)
{
    bine_sleep(BINE_MS);
    prices.insert(prices.end(), 1000, 7); /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    prices.push_back(5);
    both(reader, NULL, grower, NULL);
    EXPECT(prices[0] == 6);
    return arg;
}
PROGRAM(program)
