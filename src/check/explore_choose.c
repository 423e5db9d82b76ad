/* SPDX-License-Identifier: MIT
 *
 * Which of the things that could happen next does: the picks of the path, beyond them a policy; and fairness.
 *
 * Every decision between two or more is a point, numbered from 0, and recorded for the tool: it explores all
 * schedules by picking, in each run, one more choice than in the run before it.
 *
 * Fairness.  A loop that waits for another task by yielding or sleeping can go round for ever if the
 * schedule never lets the other one run; no scheduler does that.  So a party that has been chosen
 * .unfair times from one and the same place in the program, while another could have been and was not, has to
 * let that one go first.  Straight-line code is never held up, and the tool is told when a loop was. */
#include "check/explore.h"

#include <stdlib.h>
#include <string.h>

static uint64_t draw(struct bine__explore *explore)
{
    explore->random ^= explore->random << 13; /* xorshift64 (Marsaglia 2003) */
    explore->random ^= explore->random >> 7;
    explore->random ^= explore->random << 17;
    return explore->random >> 16;
}

void bine__explore_choose_begin(struct bine__explore *explore)
{
    struct bine__explore_share *share = explore->share;

    explore->random = share->seed * UINT64_C(0x9e3779b97f4a7c15) ^ UINT64_C(0x62696e65);
    if (!explore->random)
        explore->random = 1;
    for (int i = 0; i < 8; i++) /* seeds that differ little begin differently all the same */
        (void)draw(explore);
    explore->low_priority = UINT64_C(1) << 32;
    explore->hash = 0x811c9dc5;
    const uint32_t points = share->expected_points ? share->expected_points : 1;
    for (uint32_t i = 0; share->policy == BINE__EXPLORE_PCT && i + 1 < share->depth && i < 32; i++)
        explore->change[i] = (uint32_t)(draw(explore) % points);
}

/* ---- Who there is ---------------------------------------------------------------------------------- */

static struct bine__party *party_of(struct bine__explore *explore, uint64_t key)
{
    struct bine__party *oldest = &explore->party[0];
    for (unsigned i = 0; i < BINE__PARTIES; i++) {
        struct bine__party *party = &explore->party[i];
        if (party->key == key)
            return party;
        if (party->key == 0 || (oldest->key != 0 && party->seen < oldest->seen))
            oldest = party;
    }
    *oldest = (struct bine__party){.key = key, .priority = (UINT64_C(1) << 40) + (draw(explore) & UINT32_MAX),
                                   .waits_since = explore->share->steps};
    return oldest;
}

/* Marks who could be chosen at this step, and since when. */
static void note_parties(struct bine__explore *explore)
{
    const uint32_t step = explore->share->steps;
    for (unsigned i = 0; i < explore->options; i++) {
        struct bine__party *party = party_of(explore, explore->option[i].party);
        if (party->seen + 1 < step)
            party->waits_since = step;
        party->seen = step;
    }
}

/* How often it was chosen where it stands, since then. */
static unsigned rounds(const struct bine__party *party, uint32_t since)
{
    unsigned count = 0, kept = party->visited < BINE__VISITS ? party->visited : BINE__VISITS;
    for (unsigned i = 0; i < kept; i++)
        count += party->visits[i].step >= since && party->visits[i].place == party->place;
    return count;
}

static bool must_give_way(struct bine__explore *explore, struct bine__party *party)
{
    for (unsigned i = 0; i < explore->options; i++) {
        const struct bine__party *other = party_of(explore, explore->option[i].party);
        if (other == party)
            continue;
        uint32_t since = other->chosen > other->waits_since ? other->chosen : other->waits_since;
        if (rounds(party, since) >= explore->share->unfair)
            return true;
    }
    return false;
}

void bine__explore_be_fair(struct bine__explore *explore)
{
    bool out[BINE__OPTIONS] = {false};
    unsigned kept = 0;

    explore->held_up = false;
    if (explore->options < 2)
        return;
    note_parties(explore);
    for (unsigned i = 0; i < explore->options; i++)
        out[i] = must_give_way(explore, party_of(explore, explore->option[i].party));
    for (unsigned i = 0; i < explore->options; i++)
        kept += !out[i];
    explore->held_up = kept != explore->options && kept != 0;
    if (!explore->held_up)
        return;
    explore->share->trimmed = true;
    kept = 0;
    for (unsigned i = 0; i < explore->options; i++)
        if (!out[i])
            explore->option[kept++] = explore->option[i];
    explore->options = kept;
}

void bine__explore_chosen(struct bine__explore *explore, const struct bine__option *option)
{
    struct bine__party *party = party_of(explore, option->party);
    const uint32_t step = explore->share->steps;

    party->chosen = step;
    party->visits[party->visited % BINE__VISITS].step = step;
    party->visits[party->visited++ % BINE__VISITS].place = party->place;
}

void bine__explore_placed(struct bine__explore *explore, const struct bine_task *task, uint64_t place)
{
    party_of(explore, task->id)->place = place;
}

/* ---- The choice ------------------------------------------------------------------------------------ */

/* FNV-1a. */
static void mix(struct bine__explore *explore, uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8)
        explore->hash = (explore->hash ^ (uint32_t)(value & 0xff)) * 0x01000193;
}

static unsigned follow_pct(struct bine__explore *explore, unsigned n)
{
    unsigned best = 0;
    uint64_t high = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t priority = party_of(explore, explore->option[i].party)->priority;
        if (i == 0 || priority > high || (priority == high && draw(explore) % 2)) {
            best = i;
            high = priority;
        }
    }
    for (uint32_t i = 0; i + 1 < explore->share->depth && i < 32; i++)
        if (explore->change[i] == explore->share->points)
            party_of(explore, explore->option[best].party)->priority = --explore->low_priority;
    return best;
}

/* The next pick of the path, if it is for this point. */
static const struct bine__explore_pick *picked(struct bine__explore *explore, unsigned n)
{
    struct bine__explore_share *share = explore->share;
    if (explore->next_pick == share->picks || share->pick[explore->next_pick].point != share->points)
        return NULL;
    const struct bine__explore_pick *pick = &share->pick[explore->next_pick++];
    if (pick->choice < n && (pick->of == n || !share->follow))
        return pick;
    share->misfit = share->points + 1;
    bine__explore_stop(explore, BINE__EXPLORE_MISFIT);
}

/* Of the choices that give a parked task what it waits for one completes early, now and then. */
static uint32_t draw_quiet(struct bine__explore *explore, unsigned n, unsigned chosen)
{
    if (n == 0 || draw(explore) % 8 != 0)
        return 0;
    unsigned i = (unsigned)(draw(explore) % n);
    bool possible = i < BINE__QUIET_BITS && i != chosen && explore->option[i].success &&
                    explore->option[i].task != explore->option[chosen].task;
    return possible ? UINT32_C(1) << i : 0;
}

static unsigned decide(struct bine__explore *explore, unsigned n, bool scheduling, uint32_t *quiet)
{
    struct bine__explore_share *share = explore->share;
    const struct bine__explore_pick *pick = picked(explore, n);
    unsigned chosen = 0;

    *quiet = 0;
    if (pick) {
        *quiet = pick->quiet;
        return pick->choice;
    }
    switch ((enum bine__explore_policy)share->policy) {
    case BINE__EXPLORE_FIRST:
        break;
    case BINE__EXPLORE_RANDOM:
        chosen = (unsigned)(draw(explore) % n);
        break;
    case BINE__EXPLORE_PCT:
        chosen = scheduling ? follow_pct(explore, n) : (unsigned)(draw(explore) % n);
        break;
    }
    if (share->policy != BINE__EXPLORE_FIRST && scheduling && !share->fifo)
        *quiet = draw_quiet(explore, n, chosen);
    return chosen;
}

unsigned bine__explore_choose(struct bine__explore *explore, unsigned n, uint32_t *quiet)
{
    struct bine__explore_share *share = explore->share;
    const bool scheduling = quiet != NULL;
    uint32_t none = 0;

    if (!quiet)
        quiet = &none;
    *quiet = 0;
    if (scheduling)
        explore->point = NULL;
    if (n < 2)
        return 0;
    if (share->points == BINE__EXPLORE_POINTS) {
        share->truncated = true;
        return 0;
    }
    if (scheduling && share->merge && !explore->held_up && explore->next_pick == share->picks &&
        (share->picks == 0 || share->points > share->pick[share->picks - 1].point) &&
        bine__explore_known(explore))
        bine__explore_stop(explore, BINE__EXPLORE_MERGED);
    mix(explore, n);
    for (unsigned i = 0; scheduling && i < n; i++)
        mix(explore, explore->option[i].party * 4 + explore->option[i].kind);
    unsigned chosen = decide(explore, n, scheduling, quiet);
    struct bine__explore_point *point = &share->point[share->points];
    *point = (struct bine__explore_point){(uint16_t)chosen, (uint16_t)n, *quiet, 0, explore->hash};
    share->points++;
    if (!scheduling)
        return chosen;
    explore->point = point;
    explore->gifts = 0;
    for (unsigned i = 0; i < n && i < BINE__QUIET_BITS; i++) {
        const struct bine__option *option = &explore->option[i];
        if (!option->success || i == chosen || (*quiet >> i & 1) ||
            option->task == explore->option[chosen].task)
            continue;
        explore->given[explore->gifts].task = option->task->id;
        explore->given[explore->gifts++].bit = i;
    }
    return chosen;
}

/* What it waits for could have come before this; then the wait could not be given up any more. */
void bine__explore_interrupt(const struct bine_task *task)
{
    struct bine__explore *explore = &bine__explorer;
    if (!bine__explored(task->loop) || !explore->point || explore->share->fifo)
        return;
    for (unsigned i = 0; i < explore->gifts; i++)
        if (explore->given[i].task == task->id)
            explore->point->touched |= UINT32_C(1) << explore->given[i].bit;
}

unsigned bine__explore_draw(struct bine_loop *loop, unsigned n)
{
    (void)loop;
    unsigned chosen = bine__explore_choose(&bine__explorer, n, NULL);
    bine__explore_say(&bine__explorer, "%*sdraws %u of %u\n", BINE__EXPLORE_INDENT, "", chosen, n);
    return chosen;
}
