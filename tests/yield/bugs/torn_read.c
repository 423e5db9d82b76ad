/* SPDX-License-Identifier: MIT
 *
 * The reader waits between the two halves of what changes together.
 * KIND: TORN-GROUP */
#include "../corpus.h"

#include <bine/check.h>

static struct {
    int width, height;
} size = {4, 4};
static int area;

static void *reader(void *arg)
{
    int width = size.width; /* SITE looked */
#ifdef FIXED
    int height = size.height;
    bine_sleep(2 * BINE_MS);
#else
    bine_sleep(2 * BINE_MS);  /* SITE gave-up */
    int height = size.height; /* SITE acted */
#endif
    area = width * height;
    return arg;
}

static void *resize(void *arg)
{
    bine_sleep(BINE_MS);
    size.width = 2;  /* SITE wrote */
    size.height = 8; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_together("size", &size.width, sizeof size.width);
    bine_together("size", &size.height, sizeof size.height);
    both(reader, NULL, resize, NULL);
    EXPECT(area == 16);
    return arg;
}
PROGRAM(program)
