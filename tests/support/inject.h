/* SPDX-License-Identifier: MIT
 *
 * Cancellation injected: the linker sends every call of the one door's (bine__park(), and both forms of yield) through
 * inject.c, which counts them and cancels the task that makes the chosen one. */
#ifndef TESTS_INJECT_H
#define TESTS_INJECT_H

#ifdef __cplusplus
extern "C" {
#endif

enum inject_when {
    INJECT_BEFORE, /* the task is cancelled as it begins to wait */
    INJECT_DURING, /* while it waits, if it does so until the loop's next turn */
    INJECT_AFTER,  /* what it waited for has come; the call after this one fails */
    INJECT_WHENS
};

/* The nth wait from now on; of tasks that inject_exempt() was not called in. */
void inject_arm(long nth, enum inject_when);
void inject_disarm(void);
long inject_waits(void); /* counted since */
/* From here on the running task is left alone, and not counted. */
void inject_exempt(void);

#ifdef __cplusplus
}
#endif

#endif
