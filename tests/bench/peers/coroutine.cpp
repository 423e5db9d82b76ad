/* SPDX-License-Identifier: MIT
 *
 * Boost.Coroutine2's side of the work about generators: coroutine next. */
#include <boost/coroutine2/all.hpp>

#include "../measure.h"

using coroutine = boost::coroutines2::coroutine<intptr_t>;

int main()
{
    const int values = 20000000;
    coroutine::pull_type generator([](coroutine::push_type &yield) {
        for (intptr_t i = 0;; i++)
            yield(i);
    });
    intptr_t sum = 0;
    const int64_t start = cpu_now();
    for (int i = 0; i < values; i++) {
        sum += generator.get();
        generator();
    }
    figure("next", double(cpu_now() - start) / values, "ns");
    if (sum != intptr_t(values) * (values - 1) / 2)
        return 1;
}
