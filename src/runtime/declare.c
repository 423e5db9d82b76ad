/* SPDX-License-Identifier: MIT
 *
 * What a program declares of its data: only libbine-check remembers it. */
#include <bine/check.h>

#include "runtime/runtime.h"

int bine_together(const char *name, const void *place, size_t size)
{
    if (!name || !place || !size)
        return bine__error(EINVAL);
    bine__check_together(name, place, size);
    return 0;
}

int bine_benign(const void *place, size_t size, const char *reason)
{
    if (!place || !size || !reason || !*reason)
        return bine__error(EINVAL);
    bine__check_benign(place, size, reason);
    return 0;
}
