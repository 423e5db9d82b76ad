/* SPDX-License-Identifier: MIT
 *
 * A model of src/sync/shared.h and src/runtime/remote.c, for spin(1): tests/model/check.sh runs it.
 *
 * One task of one loop waits on two channels at once: a select.  On each channel a sender of another loop comes
 * with one value; a scope may fire at any time.  Locks are atomic steps; everything that the code does without a
 * common lock (claim, leave, box, asleep) is a step of its own.
 *
 * What is asserted: the select is served at most once; if it was served it does not leave; each sender whose
 * offer was not taken still has its value; the task's stack is not touched after it has gone on; the loop
 * never sleeps for ever while a note is in its box (that would be an invalid end state), and it is interrupted
 * only when it is asleep. */

#define CHANNELS 2

mtype = { WAITING, CLAIMED, LEFT };

mtype ticket = WAITING;
bool linked[CHANNELS];   /* its offers */
bool linked_all = false; /* the select has looked at its cases, and all of its offers stand in line */
byte moved = 0;          /* values that were written to the task's stack */
byte kept = 0;           /* values that their senders still have */
bool gone = false;       /* the task has gone on: its stack is its own */

bool box = false;        /* a note is in it */
bool arrived = false;
bool asleep = false;
bool woken = false;      /* the poller's own: an interrupt is pending */
byte interrupts = 0;
bool fired = false;      /* a scope: the timer is the loop's own affair */

proctype sender(byte channel)
{
    bool have = false;
    bool was;
    linked_all; /* before that it would be the select that finds the sender */
    atomic { /* under the channel's lock: out of the line, claim, move */
        if
        :: linked[channel] ->
            linked[channel] = false;
            if
            :: ticket == WAITING -> ticket = CLAIMED; have = true
            :: else
            fi
        :: else
        fi;
        if
        :: have -> assert(!gone); moved++
        :: else -> kept++
        fi
    }
    if
    :: have ->
        assert(!gone);
        atomic { assert(!box); box = true }
        if
        :: asleep ->
            atomic { was = asleep; asleep = false }
            if
            :: was -> woken = true; interrupts++
            :: else
            fi
        :: else
        fi
    :: else
    fi
}

/* The loop and its one task, which are one thread. */
proctype loop()
{
    bool left = false;
    bool waits;
    bool spun;
    byte i;
    atomic { linked[0] = true; linked[1] = true; linked_all = true } /* all locks held */
    do
    :: arrived -> break
    :: !arrived ->
        /* A turn: the box is opened, then timers. */
        atomic {
            if
            :: box -> box = false; assert(ticket == CLAIMED); arrived = true
            :: else
            fi
        }
        if
        :: arrived -> break
        :: else
        fi;
        if
        :: fired && !left && ticket != CLAIMED ->
            atomic {
                if
                :: ticket == WAITING -> ticket = LEFT; left = true
                :: else
                fi
            }
        :: else
        fi;
        if
        :: left -> break
        :: else
        fi;
        /* Spin, or not: it only looks (runtime/spin.c), and saves itself the sleep if it sees something. */
        if
        :: box -> spun = true
        :: spun = false
        fi;
        if
        :: spun
        :: else ->
            /* Sleep: say so, look again, wait for an interrupt or for the timer. */
            asleep = true;
            waits = !box;
            if
            :: waits ->
                if
                :: woken -> woken = false
                :: !fired -> fired = true /* the timer */
                fi
            :: else
            fi;
            asleep = false
        fi
    od;
    /* What is left is unlinked, each under its lock. */
    i = 0;
    do
    :: i < CHANNELS -> linked[i] = false; i++
    :: else -> break
    od;
    gone = true;
    assert(moved == (left -> 0 : 1));
    assert(interrupts <= moved)
}

init {
    atomic { run loop(); run sender(0); run sender(1) }
    _nr_pr == 1;
    assert(moved + kept == CHANNELS);
    assert(!box)
}
