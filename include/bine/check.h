/* SPDX-License-Identifier: MIT
 *
 * Yield points that are seen and checked: atomic blocks, invariants, declared groups, the explicit style.
 *
 * A call that may switch tasks and stands where none may is reported through bine_set_report(), with the
 * block, the call and the task, whether or not it would have switched this time.  The tools read the same
 * marks: bine-race(1), bine-yields(1).  With BINE_CHECK_OFF defined before this header is read, a mark
 * compiles to nothing; the blocks stay blocks.  bine_yield(7) is the guide. */
#ifndef BINE_CHECK_H
#define BINE_CHECK_H

#include <bine/base.h>
#include <bine/gen.h>
#include <bine/group.h>

/* The blocks hide the names of the calls that yield; in a program's own warnings that would be noise. */
#pragma GCC system_header

BINE_BEGIN_DECLS

/* ---- Marks on functions: for readers, and for bine-yields(1), which checks them ------------------------- */

#define BINE_NOYIELD /* never switches, nor does what it calls */
#define BINE_YIELDS  /* may switch */

/* ---- Atomic blocks -------------------------------------------------------------------------------------
 * BINE_ATOMIC { payee->balance += n; payer->balance -= n; }   Left by its end, break, continue, return or
 * goto alike; break and continue act on the block itself, not on a loop around it.  A direct call that
 * yields does not compile inside; any other is reported while the program runs. */
#define BINE_ATOMIC BINE__ATOMIC(BINE__UNIQUE(bine__atomic_))

typedef enum bine_check_mode {
    BINE_CHECK_REPORT, /* tell the report hook, go on */
    BINE_CHECK_ABORT,  /* tell it, then abort */
    BINE_CHECK_COUNT   /* only count */
} bine_check_mode;

/* For the whole process; the former one.  $BINE_CHECK=report|abort|count chooses what it starts with. */
BINE_EXPORT bine_check_mode bine_set_check_mode(bine_check_mode);
/* How often a check failed since the process began, on any thread. */
BINE_EXPORT uint64_t bine_check_count(void);

/* ---- What a program says about itself --------------------------------------------------------------- */

#ifndef BINE_CHECK_OFF
/* "I could switch here", on the path that does not, too.  Never switches. */
BINE_EXPORT void bine_might_yield(void);
/* fn(arg) holds whenever a task of this thread gives up the loop, or is reported with that task; fn must not
 * yield.  Holds for later runs too, until it is dropped.  -1/EINVAL, ENOMEM. */
BINE_EXPORT int bine_invariant(const char *name, bool (*fn)(void *), void *arg);
BINE_EXPORT int bine_invariant_drop(bool (*fn)(void *), void *arg); /* -1/ENOENT */
/* Places declared under one name change together: bine-race(1) tells when another task sees them half
 * changed.  Declared again they are the same group; free() takes heap memory out. */
BINE_EXPORT int bine_together(const char *name, const void *place, size_t size);
/* Races on this place are meant, for this reason: bine-race(1) does not report them. */
BINE_EXPORT int bine_benign(const void *place, size_t size, const char *reason);
#else
#define bine_might_yield() ((void)0)
#define bine_invariant(name, fn, arg) (0)
#define bine_invariant_drop(fn, arg) (0)
#define bine_together(name, place, size) (0)
#define bine_benign(place, size, reason) (0)
#endif

/* ---- The explicit style --------------------------------------------------------------------------------
 * bine_await(expression) marks a yield point in the source and has the expression's value.  A task that was
 * spawned with .style = BINE_EXPLICIT may switch nowhere else. */
#define bine_await(...) BINE__AWAIT(BINE__UNIQUE(bine__await_), __VA_ARGS__)

/* BINE_GROUP and BINE_FOR_EACH whose own waits are marked so. */
#define BINE_GROUP_AWAIT(group, flags) BINE__GROUP_AWAIT(group, (flags), BINE__UNIQUE(bine__group_block_))
#define BINE_FOR_EACH_AWAIT(v, generator) BINE__FOR_EACH_AWAIT(v, generator, BINE__UNIQUE(bine__each_))

/* ---- How it is made; not for use -------------------------------------------------------------------- */

/* A place where no task may switch, on the stack of the task that is in it.  Its name is what a compiler
 * says of a call inside. */
struct bine_ERROR_this_call_may_switch_tasks_inside_BINE_ATOMIC {
    int64_t outer;    /* what *gate was */
    int64_t *gate;    /* NULL: outside a loop */
    const char *site; /* "file:line" */
    uint64_t told;    /* the library's own */
} __attribute__((__aligned__(16)));
#define bine__section struct bine_ERROR_this_call_may_switch_tasks_inside_BINE_ATOMIC

/* Of the loop that runs on this thread: what its running task may still do without switching.  While it is
 * in a section, minus that section's address, shifted so that what is charged meanwhile cannot reach it. */
extern BINE_EXPORT __thread int64_t *bine__gate __attribute__((__tls_model__("initial-exec")));
#define BINE__GATE_SHIFT 15

struct bine__await {
    int64_t *gate;
    uint64_t open; /* the section that was opened, or 0 */
};

BINE_EXPORT void bine__await_open(struct bine__await *);
BINE_EXPORT void bine__await_shut(struct bine__await *);

#ifndef BINE_CHECK_OFF
/* What these do with the gate is not the program's doing, and not for bine-race(1) to see. */
#ifdef __clang__
#define BINE__UNWATCHED __attribute__((__no_sanitize__("thread", "coverage")))
#else
#define BINE__UNWATCHED __attribute__((__no_sanitize_thread__, __no_sanitize_coverage__))
#endif

BINE__UNWATCHED static inline bine__section *bine__section_enter(bine__section *section, const char *site)
{
    int64_t *gate = bine__gate;
    section->gate = gate;
    section->site = site;
    section->told = 0;
    if (__builtin_expect(gate != NULL, 1)) {
        section->outer = *gate;
        *gate = -(int64_t)((uint64_t)(uintptr_t)section << BINE__GATE_SHIFT);
    }
    return section;
}

BINE__UNWATCHED static inline void bine__section_leave(bine__section *section)
{
    if (__builtin_expect(section->gate != NULL, 1))
        *section->gate = section->outer;
}

BINE__UNWATCHED static inline struct bine__await bine__await_in(void)
{
    struct bine__await await = {bine__gate, 0};
    if (__builtin_expect(await.gate && *await.gate <= 0, 0))
        bine__await_open(&await);
    return await;
}

static inline void bine__await_out(struct bine__await *await)
{
    if (__builtin_expect(await->open != 0, 0))
        bine__await_shut(await);
}

#define BINE__AWAIT(name, ...)                                                                                    \
    (__extension__({                                                                                              \
        struct bine__await name __attribute__((__cleanup__(bine__await_out), __unused__)) = bine__await_in();     \
        __VA_ARGS__;                                                                                              \
    }))

#define BINE__ATOMIC(section)                                                                                     \
    for (bine__section section __attribute__((__cleanup__(bine__section_leave))),                                 \
         *BINE__JOIN(section, _once) = bine__section_enter(&section, BINE__SITE), BINE__YIELDING_NAMES;            \
         BINE__JOIN(section, _once); BINE__JOIN(section, _once) = NULL)
#else
static inline struct bine__await bine__await_in(void)
{
    struct bine__await await = {NULL, 0};
    return await;
}

static inline void bine__await_out(struct bine__await *await)
{
    (void)await;
}

#define BINE__AWAIT(name, ...) (__VA_ARGS__)

#define BINE__ATOMIC(section)                                                                                     \
    for (bine__section *section = (bine__section *)sizeof(bine__section), BINE__YIELDING_NAMES; section;            \
         section = NULL)
#endif

static inline bine_group *bine__group_end_await(bine_group *group)
{
    struct bine__await await = bine__await_in();
    bine_group *none = bine__group_end(group);
    bine__await_out(&await);
    return none;
}

static inline void bine__group_leave_await(bine_group *group)
{
    struct bine__await await = bine__await_in();
    bine__group_leave(group);
    bine__await_out(&await);
}

#define BINE__GROUP_AWAIT(group, flags, block)                                             \
    for (bine_group group __attribute__((__cleanup__(bine__group_leave_await))),           \
         *block = bine__group_begin(&group, flags);                                        \
         block; block = bine__group_end_await(&group))

static inline bool bine__each_next_await(struct bine__each *each, void **v)
{
    struct bine__await await = bine__await_in();
    int got = bine_gen_next(each->gen, v);
    bine__await_out(&await);
    return got == 1;
}

static inline void bine__each_leave_await(struct bine__each *each)
{
    struct bine__await await = bine__await_in();
    bine__each_leave(each);
    bine__await_out(&await);
}

#define BINE__FOR_EACH_AWAIT(v, generator, each)                                                             \
    for (struct bine__each each __attribute__((__cleanup__(bine__each_leave_await))) = {(generator), false}; \
         !each.over; each.over = true)                                                                       \
        for (void *v = NULL; bine__each_next_await(&each, &v);)

/* Every public function that yields, as a variable that cannot be called; but for those that yield if a function of
 * the program's does.  A test compares the list with the manual.  gcc does not print a variable's type, as clang does,
 * but the reason why it is unavailable. */
#if !defined __clang__ && __GNUC__ >= 12
#define BINE__NOT_HERE __attribute__((__unused__, __unavailable__("it may switch tasks, inside BINE_ATOMIC")))
#else
#define BINE__NOT_HERE __attribute__((__unused__))
#endif
#define BINE__NO(name) *name BINE__NOT_HERE = NULL
#define BINE__YIELDING_NAMES                                                                              \
    BINE__NO(bine_might_yield), BINE__YIELDING_OF_TASKS, BINE__YIELDING_OF_FILES
#define BINE__YIELDING_OF_TASKS BINE__YIELDING_TASK, BINE__YIELDING_FUTURE, BINE__YIELDING_GEN, BINE__YIELDING_SYNC
#define BINE__YIELDING_OF_FILES BINE__YIELDING_CHAN, BINE__YIELDING_IO, BINE__YIELDING_NET, BINE__YIELDING_LAST
#define BINE__YIELDING_LAST BINE__YIELDING_STREAM, BINE__YIELDING_WORK
#define BINE__YIELDING_TASK                                                                               \
    BINE__NO(bine_join), BINE__NO(bine_stop), BINE__NO(bine_yield), BINE__NO(bine_sleep),                  \
        BINE__NO(bine_sleep_until), BINE__NO(bine_park), BINE__NO(bine_group_admit),                       \
        BINE__NO(bine_group_wait), BINE__NO(bine_gather), BINE__NO(bine_map)
#define BINE__YIELDING_FUTURE                                                                             \
    BINE__NO(bine_future_await), BINE__NO(bine_wait), BINE__NO(bine_next_done), BINE__NO(bine_shield)
#define BINE__YIELDING_GEN                                                                                \
    BINE__NO(bine_gen_yield), BINE__NO(bine_gen_from)
#define BINE__YIELDING_SYNC                                                                               \
    BINE__NO(bine_mutex_lock), BINE__NO(bine_rwlock_read), BINE__NO(bine_rwlock_write),                    \
        BINE__NO(bine_cond_wait), BINE__NO(bine_sem_wait), BINE__NO(bine_event_wait),                      \
        BINE__NO(bine_barrier_wait), BINE__NO(bine_latch_wait), BINE__NO(bine_once),                       \
        BINE__NO(bine_queue_put), BINE__NO(bine_queue_put_priority), BINE__NO(bine_queue_get),             \
        BINE__NO(bine_queue_join)
#define BINE__YIELDING_CHAN BINE__NO(bine_chan_send), BINE__NO(bine_chan_recv), BINE__NO(bine_chan_select)
#define BINE__YIELDING_IO                                                                                 \
    BINE__NO(bine_read), BINE__NO(bine_write), BINE__NO(bine_readv), BINE__NO(bine_writev),                \
        BINE__NO(bine_pread), BINE__NO(bine_pwrite), BINE__NO(bine_recv), BINE__NO(bine_send),             \
        BINE__NO(bine_recvfrom), BINE__NO(bine_sendto), BINE__NO(bine_recvmsg), BINE__NO(bine_sendmsg),     \
        BINE__NO(bine_accept), BINE__NO(bine_connect), BINE__NO(bine_poll), BINE__NO(bine_select),         \
        BINE__NO(bine_poll_fd), BINE__NO(bine_sendfile), BINE__NO(bine_splice), BINE__NO(bine_fsync),      \
        BINE__NO(bine_open), BINE__NO(bine_read_full), BINE__NO(bine_write_full), BINE__NO(bine_opendir),   \
        BINE__NO(bine_readdir), BINE__NO(bine_statx), BINE__NO(bine_offload),                             \
        BINE__NO(bine_offload_abandon), BINE__NO(bine_process_wait), BINE__NO(bine_signal_wait)
#define BINE__YIELDING_NET BINE__NO(bine_dial), BINE__NO(bine_serve_sized), BINE__NO(bine_resolve)
#define BINE__YIELDING_STREAM                                                                             \
    BINE__NO(bine_stream_read), BINE__NO(bine_stream_read_exactly), BINE__NO(bine_stream_read_line),       \
        BINE__NO(bine_stream_read_until), BINE__NO(bine_stream_flush), BINE__NO(bine_stream_shutdown_write)
#define BINE__YIELDING_WORK                                                                               \
    BINE__NO(bine_pool_offload), BINE__NO(bine_pool_offload_abandon), BINE__NO(bine_process_start),       \
        BINE__NO(bine_process_stop), BINE__NO(bine_signal_next),                                          \
        BINE__NO(bine_tls_config_certificate), BINE__NO(bine_tls_config_trust),                           \
        BINE__NO(bine_tls_dial), BINE__NO(bine_tls_handshake), BINE__NO(bine_tls_read),                   \
        BINE__NO(bine_tls_renegotiate), BINE__NO(bine_tls_shutdown_write), BINE__NO(bine_tls_write),      \
        BINE__NO(bine_workers_call), BINE__NO(bine_workers_free), BINE__NO(bine_workers_new)

BINE_END_DECLS
#endif
