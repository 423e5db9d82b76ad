/* SPDX-License-Identifier: MIT
 *
 * A sequence without an end, and a linear search in it that returns or fails.
 *
 * search() is an ordinary function over a generator: it returns the first item that satisfies the
 * predicate, or fails as C functions do.  Leaving BINE_FOR_EACH early closes the generator. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "../lib/lucas.h"

static bool has_six_digits(uint64_t item)
{
    return count_digits(item) >= 6;
}

static bool is_negative(uint64_t item)
{
    (void)item;
    return false;
}

static int search(bine_gen *items, bool (*predicate)(uint64_t), uint64_t *found)
{
    BINE_FOR_EACH(item, items) {
        *found = *(const uint64_t *)item;
        if (predicate(*found))
            return 0;
    }
    errno = ENOENT;
    return -1;
}

int main(void)
{
    unsigned ten = 10;
    uint64_t found = 0;
    bine_gen *items = bine_gen_new(lucas, &ten);
    BINE_FOR_EACH(item, items)
        printf("%" PRIu64 " ", *(const uint64_t *)item);
    bine_gen_free(items);

    items = bine_gen_new(lucas, NULL);
    if (search(items, has_six_digits, &found) == 0)
        printf("\nsix digits: %" PRIu64 "\n", found);
    bine_gen_free(items);

    items = bine_gen_new(lucas, NULL);
    if (search(items, is_negative, &found) < 0)
        printf("negative: %s\n", why(errno));
    bine_gen_free(items);
    return 0;
}
