/* SPDX-License-Identifier: MIT
 *
 * The timing wheel against a model that keeps every timer in an array and looks at all of them. */
#include "runtime/timer.h"

#include "support/support.h"

enum { TIMERS = 300, FIRED_MAX = 4096 };

struct model {
    struct bine__timer timer; /* first: the callback casts */
    bool armed;
    bool unset; /* .deadline is a duration still */
    bine_ns deadline;
    uint64_t order;
};

static struct model models[TIMERS];
static struct bine__wheel wheel;
static uint64_t armings;
static size_t fired_n;
static struct model *fired[FIRED_MAX];
static void (*on_fire)(struct model *);

static void fire(struct bine__timer *timer)
{
    struct model *model = (struct model *)(void *)timer;
    expect(!bine__timer_armed(timer));
    expect(fired_n < FIRED_MAX);
    if (fired_n < FIRED_MAX)
        fired[fired_n++] = model;
    model->armed = false;
    if (on_fire)
        on_fire(model);
}

static void start(bine_ns now)
{
    memset(models, 0, sizeof models);
    for (size_t i = 0; i < TIMERS; i++)
        models[i].timer.fire = fire;
    bine__wheel_init(&wheel, now);
    armings = 0;
    fired_n = 0;
    on_fire = NULL;
}

static void arm(struct model *model, bine_ns deadline)
{
    model->armed = true;
    model->deadline = deadline;
    model->order = armings++;
    bine__timer_arm(&wheel, &model->timer, deadline);
    expect(bine__timer_armed(&model->timer));
}

static void arm_later(struct model *model, bine_ns duration)
{
    arm(model, duration);
    expect(bine__timer_disarm(&wheel, &model->timer));
    model->unset = true;
    bine__timer_arm_later(&wheel, &model->timer, duration);
    expect(bine__timer_armed(&model->timer));
}

/* The clock is read: durations become deadlines. */
static void set(bine_ns now)
{
    for (size_t i = 0; i < TIMERS; i++)
        if (models[i].armed && models[i].unset) {
            models[i].unset = false;
            if (__builtin_add_overflow(now, models[i].deadline, &models[i].deadline))
                models[i].deadline = BINE_FOREVER;
        }
    bine__wheel_set(&wheel, now);
}

static bool disarm(struct model *model)
{
    bool was = model->armed;
    model->armed = model->unset = false;
    expect_int(bine__timer_disarm(&wheel, &model->timer), ==, was);
    return was;
}

static size_t armed_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < TIMERS; i++)
        n += models[i].armed;
    return n;
}

static struct model *earliest(void)
{
    struct model *least = NULL;
    for (size_t i = 0; i < TIMERS; i++) {
        struct model *m = &models[i];
        if (m->armed && (!least || m->deadline < least->deadline ||
                         (m->deadline == least->deadline && m->order < least->order)))
            least = m;
    }
    return least;
}

/* Advances wheel and model; the same timers must fire in the same order. */
static void advance(bine_ns now)
{
    struct model *due[TIMERS];
    size_t n = 0;
    for (struct model *m; (m = earliest()) && m->deadline <= now;) {
        due[n++] = m;
        m->armed = false;
    }
    fired_n = 0;
    bine__wheel_advance(&wheel, now);
    expect_uint(fired_n, ==, n);
    for (size_t i = 0; i < n && i < fired_n; i++)
        expect_ptr(fired[i], ==, due[i]);
    expect_uint(wheel.armed, ==, armed_count());
}

/* next() is never later than the earliest deadline, never in the past of the wheel but for what is due, and
 * going where it says always ends at that deadline. */
static void check_next(bool exact)
{
    struct model *least = earliest();
    bine_ns next = bine__wheel_next(&wheel);
    if (!least) {
        expect_int(next, ==, BINE_FOREVER);
        return;
    }
    bine_ns deadline = least->deadline < wheel.now ? wheel.now : least->deadline;
    expect_int(next, <=, deadline);
    if (exact)
        expect_int(next, ==, deadline);
}

START_TEST(fires_at_the_deadline_and_not_before)
{
    start(1000);
    arm(&models[0], 2000);
    advance(1999);
    expect_uint(fired_n, ==, 0);
    advance(2000);
    expect_uint(fired_n, ==, 1);
}
END_TEST

START_TEST(a_deadline_that_has_passed_is_due_at_once)
{
    start(1000);
    arm(&models[0], 1000);
    arm(&models[1], -5);
    arm(&models[2], INT64_MIN);
    check_next(true);
    advance(1000);
    expect_uint(fired_n, ==, 3);
}
END_TEST

START_TEST(equal_deadlines_fire_in_the_order_of_arming)
{
    start(0);
    for (size_t i = 0; i < TIMERS; i++)
        arm(&models[(i * 7) % TIMERS], 123456789);
    advance(123456789);
    expect_uint(fired_n, ==, TIMERS);
}
END_TEST

START_TEST(rearming_moves_to_the_end_of_its_equals)
{
    start(0);
    arm(&models[0], 50);
    arm(&models[1], 50);
    disarm(&models[0]);
    arm(&models[0], 50);
    advance(50);
    expect_ptr(fired[0], ==, &models[1]);
    expect_ptr(fired[1], ==, &models[0]);
}
END_TEST

START_TEST(deadlines_at_the_end_of_time_are_kept)
{
    start(0);
    arm(&models[0], BINE_FOREVER);
    arm(&models[1], BINE_FOREVER - 1);
    arm(&models[2], BINE_FOREVER - 64);
    arm(&models[3], INT64_C(1) << 62);
    advance((INT64_C(1) << 62) - 1);
    expect_uint(fired_n, ==, 0);
    advance(INT64_C(1) << 62);
    expect_uint(fired_n, ==, 1);
    advance(BINE_FOREVER - 2);
    expect_uint(fired_n, ==, 1);
    advance(BINE_FOREVER - 1);
    expect_uint(fired_n, ==, 1);
    expect(disarm(&models[0]));
    expect_uint(wheel.armed, ==, 0);
}
END_TEST

START_TEST(each_digit_boundary_is_exact)
{
    for (unsigned shift = 0; shift < 62; shift++) {
        bine_ns edge = INT64_C(1) << shift;
        start(edge - 1);
        arm(&models[0], edge);
        arm(&models[1], edge + 1);
        arm(&models[2], 2 * edge - 1 > edge ? 2 * edge - 1 : edge);
        check_next(true);
        advance(edge - 1);
        expect_uint(fired_n, ==, 0);
        while (armed_count() > 0) {
            check_next(true);
            advance(bine__wheel_next(&wheel));
            expect_uint(fired_n, >=, 1);
            if (fired_n == 0)
                break;
        }
    }
}
END_TEST

START_TEST(a_duration_counts_from_the_next_reading_of_the_clock)
{
    start(1000);
    arm_later(&models[0], 50);
    arm(&models[1], 1060);
    arm_later(&models[2], 50);
    arm_later(&models[3], BINE_FOREVER);
    arm_later(&models[4], -5);
    arm_later(&models[5], 60);
    expect(disarm(&models[5])); /* before it was set */
    expect_uint(wheel.armed, ==, 5);
    set(1010);
    advance(1010);
    expect_uint(fired_n, ==, 1);
    advance(1059);
    expect_uint(fired_n, ==, 0);
    advance(1060);
    expect_uint(fired_n, ==, 3);
    expect_ptr(fired[0], ==, &models[0]); /* armed first of the three that are due together */
    expect_ptr(fired[1], ==, &models[1]);
    expect_ptr(fired[2], ==, &models[2]);
    expect(disarm(&models[3]));
}
END_TEST

START_TEST(clearing_disarms_everything)
{
    start(1000);
    arm(&models[0], 5);
    arm(&models[1], 5000);
    arm(&models[2], INT64_MAX / 2);
    arm_later(&models[3], 7);
    bine__wheel_clear(&wheel);
    expect_uint(wheel.armed, ==, 0);
    for (size_t i = 0; i < 4; i++)
        expect(!bine__timer_armed(&models[i].timer));
    bine__wheel_advance(&wheel, INT64_MAX - 1);
    expect_uint(fired_n, ==, 0);
}
END_TEST

START_TEST(one_far_jump_fires_everything_in_order)
{
    uint64_t seed = 42;
    start(17);
    for (size_t i = 0; i < TIMERS; i++)
        arm(&models[i], (bine_ns)(support_random(&seed) >> (1 + support_random(&seed) % 62)));
    advance(INT64_MAX - 1);
    expect_uint(armed_count(), ==, 0);
}
END_TEST

static void disarm_the_next(struct model *model)
{
    if (model == &models[0])
        disarm(&models[1]);
}

START_TEST(a_callback_may_disarm_one_that_is_due_too)
{
    start(0);
    for (size_t i = 0; i < 3; i++)
        arm(&models[i], 10);
    on_fire = disarm_the_next;
    bine__wheel_advance(&wheel, 10);
    expect_uint(fired_n, ==, 2);
    expect_ptr(fired[0], ==, &models[0]);
    expect_ptr(fired[1], ==, &models[2]);
    expect_uint(wheel.armed, ==, 0);
}
END_TEST

static void start_again(struct model *model)
{
    arm(model, 10);
}

START_TEST(a_callback_that_starts_itself_for_now_does_not_hold_the_wheel)
{
    start(0);
    arm(&models[0], 10);
    on_fire = start_again;
    bine__wheel_advance(&wheel, 10);
    expect_uint(fired_n, ==, 1);
    expect(bine__timer_armed(&models[0].timer));
    check_next(true);
    bine__wheel_advance(&wheel, 10);
    expect_uint(fired_n, ==, 2);
    on_fire = NULL;
    disarm(&models[0]);
}
END_TEST

static void scribble(struct model *model)
{
    memset(&model->timer, 0xa5, sizeof model->timer);
}

START_TEST(a_callback_may_free_its_timer)
{
    start(0);
    for (size_t i = 0; i < 10; i++)
        arm(&models[i], 10);
    on_fire = scribble;
    bine__wheel_advance(&wheel, 11);
    expect_uint(fired_n, ==, 10);
    expect_uint(wheel.armed, ==, 0);
}
END_TEST

/* Deadlines near, equal, far, and beyond everything. */
static bine_ns some_deadline(uint64_t *seed, bine_ns now)
{
    uint64_t r = support_random(seed);
    bine_ns room = BINE_FOREVER - now;
    switch (r % 6) {
    case 0:
        return now - (bine_ns)(r >> 60);
    case 1:
        return now > BINE_FOREVER - 100 ? BINE_FOREVER : now + (bine_ns)(r >> 8) % 100;
    case 2:
        return (now | 0xfff) == BINE_FOREVER ? BINE_FOREVER : (now | 0xfff) + 1; /* many equal ones */
    case 3:
        return now + (bine_ns)((r >> 8) % 5000000000u) % room;
    default:
        return now + (bine_ns)(r >> (2 + support_random(seed) % 60)) % room;
    }
}

START_TEST(random_operations_agree_with_the_model)
{
    uint64_t seed = support_seed();
    unsigned rounds = support_slow() ? 20 : 150;
    for (unsigned round = 0; round < rounds && support_failures() == 0; round++) {
        start((bine_ns)(support_random(&seed) >> (3 + support_random(&seed) % 60)));
        for (unsigned step = 0; step < 300; step++) {
            struct model *m = &models[support_random(&seed) % TIMERS];
            switch (support_random(&seed) % 8) {
            case 0:
                disarm(m);
                break;
            case 1:
                set(wheel.now);
                check_next(false);
                advance(bine__wheel_next(&wheel) == BINE_FOREVER ? wheel.now : bine__wheel_next(&wheel));
                break;
            case 2: {
                bine_ns to = some_deadline(&seed, wheel.now);
                if (to > wheel.now && to < BINE_FOREVER / 2) {
                    set(wheel.now + (to - wheel.now) / 2); /* read a while after the wheel was last told */
                    advance(to);
                }
                break;
            }
            case 3:
                if (!m->armed)
                    arm_later(m, some_deadline(&seed, wheel.now) - wheel.now);
                break;
            default:
                if (!m->armed)
                    arm(m, some_deadline(&seed, wheel.now));
            }
        }
        /* Following next() reaches every timer, in a bounded number of steps. */
        set(wheel.now);
        for (unsigned steps = 0; armed_count() > 0 && bine__wheel_next(&wheel) < BINE_FOREVER; steps++) {
            advance(bine__wheel_next(&wheel));
            if (!expect(steps < TIMERS * BINE__WHEEL_LEVELS))
                break;
        }
    }
}
END_TEST

SUPPORT_MAIN("timer", fires_at_the_deadline_and_not_before, a_deadline_that_has_passed_is_due_at_once,
             equal_deadlines_fire_in_the_order_of_arming, rearming_moves_to_the_end_of_its_equals,
             deadlines_at_the_end_of_time_are_kept, each_digit_boundary_is_exact,
             a_duration_counts_from_the_next_reading_of_the_clock, clearing_disarms_everything,
             one_far_jump_fires_everything_in_order, a_callback_may_disarm_one_that_is_due_too,
             a_callback_that_starts_itself_for_now_does_not_hold_the_wheel, a_callback_may_free_its_timer,
             random_operations_agree_with_the_model)
