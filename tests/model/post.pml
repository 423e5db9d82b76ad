/* SPDX-License-Identifier: MIT
 *
 * A model of src/runtime/post.c, remote.c and spin.c, for spin(1): one loop to which several threads post, and send
 * notes, and which may look for a moment before it sleeps.
 *
 * What the code does under the loop's lock is under a lock here; each load, store and exchange is a step of its own.
 *
 * What is asserted: all posts and notes are taken (else the loop sleeps for ever: an invalid end state); nobody
 * interrupts a loop but to end a sleep that was announced, and each such sleep at most once; and a loop that has
 * looked in time is not interrupted at all. */

#define POSTERS 2
#define SENDERS 1

bool locked = false;
byte posts = 0;          /* in the queue, under the lock */
bool posted = false;
byte box = 0;            /* notes in it */
bool asleep = false;
bool woken = false;      /* the poller's own: an interrupt is pending */
byte sleeps = 0;         /* announced */
byte interrupts = 0;
byte taken = 0;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

/* Whoever takes the mark away interrupts. */
inline interrupt()
{
    if
    :: asleep ->
        atomic { was = asleep; asleep = false };
        if
        :: was -> atomic { woken = true; interrupts++; assert(interrupts <= sleeps) }
        :: else
        fi
    :: else
    fi
}

proctype poster()
{
    bool was;
    lock();
    posts++;
    posted = true;
    interrupt();
    unlock()
}

proctype sender()
{
    bool was;
    box++; /* one exchange */
    interrupt()
}

proctype loop()
{
    bool spun, sees;
    do
    :: taken == POSTERS + SENDERS -> break
    :: else ->
        if
        :: posted -> lock(); taken = taken + posts; posts = 0; posted = false; unlock()
        :: else
        fi;
        atomic { taken = taken + box; box = 0 }
        if
        :: taken == POSTERS + SENDERS -> break
        :: else
        fi;
        if
        :: atomic { posted || box -> spun = true }
        :: spun = false
        fi;
        if
        :: spun
        :: else ->
            atomic { asleep = true; sleeps++ }
            sees = posted;
            if
            :: sees
            :: else -> sees = (box > 0)
            fi;
            if
            :: sees -> woken = false /* only polls: takes an interrupt that has come already */
            :: else -> woken -> woken = false
            fi;
            asleep = false
        fi
    od
}

init {
    byte i;
    atomic {
        run loop();
        i = 0;
        do
        :: i < POSTERS -> run poster(); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < SENDERS -> run sender(); i++
        :: else -> break
        od
    }
    _nr_pr == 1;
    assert(taken == POSTERS + SENDERS);
    assert(posts == 0 && box == 0)
}
