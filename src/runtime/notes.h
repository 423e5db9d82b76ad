/* SPDX-License-Identifier: MIT
 *
 * What the sanitizers and Valgrind must be told: that a stack is left for another, by the door in park.c and by
 * generators, which go past it (gen.c); and that there is one, or no longer.  Nothing in a plain build, but that
 * Valgrind is asked for. */
#ifndef BINE_RUNTIME_NOTES_H
#define BINE_RUNTIME_NOTES_H

#include <stdbool.h>
#include <stddef.h>

/* Contexts that are threads are known to the tools as such. */
#ifndef BINE_CONTEXT_THREAD
#if defined(__SANITIZE_ADDRESS__)
#define BINE__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BINE__ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define BINE__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BINE__TSAN 1
#endif
#endif
#endif

#if defined(__has_include) && !defined(NVALGRIND)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define BINE__VALGRIND 1
#endif
#endif

#ifdef BINE__ASAN
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);
void __asan_unpoison_memory_region(const volatile void *, size_t);
#endif
#ifdef BINE__TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *);
void __tsan_switch_to_fiber(void *, unsigned flags);
#endif

/* Kept with every context. */
struct bine__notes {
#ifdef BINE__ASAN
    void *fake;
    const void *bottom;
    size_t size;
    struct bine__notes *before; /* whose stack was left for this one */
#endif
#ifdef BINE__TSAN
    void *fiber;
    bool own; /* created here, not the thread's */
#endif
#if !defined(BINE__ASAN) && !defined(BINE__TSAN)
    char none;
#endif
};

/* A context that has not run yet, on the stack [bottom, bottom + size). */
static inline void bine__notes_made(struct bine__notes *notes, char *bottom, size_t size)
{
    (void)notes, (void)bottom, (void)size;
#ifdef BINE__ASAN
    __asan_unpoison_memory_region(bottom, size); /* frames that were never left may have stood here */
    notes->fake = NULL;
    notes->bottom = bottom;
    notes->size = size;
#endif
#ifdef BINE__TSAN
    notes->fiber = __tsan_create_fiber(0);
    notes->own = true;
#endif
}

/* The context that is running now and was not made here: the thread's. */
static inline void bine__notes_thread(struct bine__notes *notes)
{
    (void)notes;
#ifdef BINE__TSAN
    notes->fiber = __tsan_get_current_fiber();
    notes->own = false;
#endif
}

/* Nothing will run on it again, and it is not running. */
static inline void bine__notes_gone(struct bine__notes *notes)
{
    (void)notes;
#ifdef BINE__TSAN
    if (notes->own && notes->fiber)
        __tsan_destroy_fiber(notes->fiber);
    notes->fiber = NULL;
#endif
}

/* Just before the switch; dying: from will never run again. */
static inline __attribute__((always_inline)) void bine__notes_leave(struct bine__notes *from, struct bine__notes *to,
                                                                    bool dying)
{
    (void)from, (void)to, (void)dying;
#ifdef BINE__ASAN
    to->before = from;
    __sanitizer_start_switch_fiber(dying ? NULL : &from->fake, to->bottom, to->size);
#endif
#ifdef BINE__TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

/* First thing on the other side.  What was left is told its own bounds: nobody else knows the thread's. */
static inline __attribute__((always_inline)) void bine__notes_enter(struct bine__notes *self)
{
    (void)self;
#ifdef BINE__ASAN
    __sanitizer_finish_switch_fiber(self->fake, &self->before->bottom, &self->before->size);
#endif
}

/* Valgrind is told of each stack when it is carved and when it is unmapped. */
static inline bool bine__notes_wants_stacks(void)
{
#ifdef BINE__VALGRIND
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

static inline unsigned bine__notes_stack(char *bottom, size_t size)
{
    (void)bottom, (void)size;
#ifdef BINE__VALGRIND
    return VALGRIND_STACK_REGISTER(bottom, bottom + size);
#else
    return 0;
#endif
}

static inline void bine__notes_unstack(unsigned id)
{
    (void)id;
#ifdef BINE__VALGRIND
    VALGRIND_STACK_DEREGISTER(id);
#endif
}

#endif
