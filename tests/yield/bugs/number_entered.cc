/* SPDX-License-Identifier: MIT
 *
 * C++: who finds no number in the directory asks for one, and enters it.  The container searches again, but only to
 * find where.
 * KIND: STALE-CHECK */
#include "../corpus.h"

#include <string>
#include <unordered_map>

static std::unordered_map<std::string, int> numbers;
static int last;

static int assign(const std::string &name)
{
    int number = ++last;
    bine_sleep((bine_ns)name.size() * BINE_MS); /* SITE gave-up */
    return number;
}

static int number_of(const std::string &name)
{
    auto known = numbers.find(name); /* SITE looked */
    if (known != numbers.end())      /* SITE looked */
        return known->second;
    int number = assign(name);
#ifdef FIXED
    auto entered = numbers.emplace(name, number);
    return entered.first->second;
#else
    numbers[name] = number; /* SITE wrote acted */
    return number;
#endif
}

static void *caller(void *arg)
{
    *static_cast<int *>(arg) = number_of("reception");
    return nullptr;
}

static void *program(void *arg)
{
    static int a, b;
    both(caller, &a, caller, &b);
    EXPECT(a == b);
    return arg;
}
PROGRAM(program)
