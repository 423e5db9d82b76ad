/* SPDX-License-Identifier: MIT
 *
 * What the files of the small programs for bine-explore(1) share. */
#ifndef TESTS_EXPLORE_CASES_H
#define TESTS_EXPLORE_CASES_H

#include <bine.h>

#include <assert.h>
#include <stdbool.h>

extern int number[2]; /* from the command line */
extern bool calm;     /* a third number there: nothing comes of it, and nothing fails */
extern char order[64];
extern int shared;
extern unsigned digest;

void note(char who);                 /* into order[] */
void digest_of(const char *name);    /* who did something, in order: of few values, so that all come up */
void spawn_all(bine_fn *);           /* number[0] tasks, which get "a", "b", "c"; waits for them */
void *slices(void *name);            /* number[1] of them, each of which is noted */

void *run_sleepers(void *unused);
void *run_select(void *unused);
void *run_deadline(void *unused);
void *run_watchdog(void *unused);
void *run_too_late(void *unused);
void *run_callbacks(void *unused);
void *run_alarm(void *unused);
void *run_generators(void *unused);
void *run_letter(void *unused);
void *run_timed(void *unused);
void *run_logged(void *unused);
void *run_event(void *unused);
void *run_pipe(void *unused);
void *run_log(void *unused);
void *run_tcp(void *unused);
void *run_mail(void *unused);
void *run_server(void *unused);
void *run_fed(void *unused);
void *run_lent(void *unused);
void *run_deadlock(void *unused);
void *run_spin(void *unused);
void *run_round(void *unused);
void *run_hog(void *unused);
void *run_flood(void *unused);
void *run_binary(void *unused);
void *run_crash(void *unused);
void *run_stuck(void *unused);
void *run_lost(void *unused);
void *run_child(void *unused);
void *run_children(void *unused);
void *run_moody(void *unused);

#endif
