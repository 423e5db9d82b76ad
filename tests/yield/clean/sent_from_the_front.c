/* SPDX-License-Identifier: MIT
 *
 * Samples are appended at the end of a buffer by all, and taken from its front by one at a time; those that remain
 * are moved up, whoever has put them there. */
#include "../corpus.h"

enum { ROOM = 48 };
static struct {
    unsigned char bytes[ROOM];
    unsigned used, taken;
    bool sending;
} samples;

static unsigned transmit(const unsigned char *from, unsigned n)
{
    EXPECT(from[0] != 0);
    bine_sleep(BINE_MS);
    return n > 5 ? 5 : n;
}

static void send_all(void)
{
    if (samples.sending)
        return;
    samples.sending = true;
    while (samples.used) {
        unsigned n = transmit(samples.bytes, samples.used);
        memmove(samples.bytes, samples.bytes + n, samples.used - n);
        samples.used -= n;
        samples.taken += n;
    }
    samples.sending = false;
}

static void *sensor(void *arg)
{
    unsigned n = 3 + 4 * (unsigned)(uintptr_t)arg;
    unsigned char burst[16];
    memset(burst, (int)n, sizeof burst);
    for (unsigned i = 0; i < 5; i++) {
        while (ROOM - samples.used < n)
            bine_sleep(BINE_MS);
        memcpy(samples.bytes + samples.used, burst, n);
        samples.used += n;
        send_all();
        bine_sleep(i * BINE_MS);
    }
    return NULL;
}

static void *program(void *arg)
{
    both(sensor, (void *)2, sensor, NULL);
    EXPECT(samples.used == 0 && samples.taken == 5 * (11 + 3));
    return arg;
}
PROGRAM(program)
