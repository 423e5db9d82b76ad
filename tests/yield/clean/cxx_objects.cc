/* SPDX-License-Identifier: MIT
 *
 * C++: strings, maps, lambdas and exceptions, each task's own, and a map of results that both fill in, without a
 * switch in between. */
#include "../corpus.h"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

static std::map<std::string, int> results;

static int parse(const std::string &text)
{
    bine_yield();
    if (text.empty())
        throw std::invalid_argument("empty");
    return std::stoi(text);
}

static void *task(void *arg)
{
    std::string me = static_cast<const char *>(arg);
    std::function<int(int)> add = [&](int n) { return n + static_cast<int>(me.size()); };
    int sum = 0;
    for (const char *text : {"1", "", "20", "x", "300"}) {
        try {
            sum += add(parse(text));
        } catch (const std::exception &e) {
            bine_sleep(BINE_MS);
            results[me + e.what()]++;
        }
    }
    results[me] = sum;
    return NULL;
}

static void *program(void *arg)
{
    static char one[] = "one", three[] = "three";
    both(task, one, task, three);
    EXPECT(results["one"] == 330 && results["three"] == 336);
    return arg;
}
PROGRAM(program)
