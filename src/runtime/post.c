/* SPDX-License-Identifier: MIT
 *
 * bine_post(): work for a loop from any thread.
 *
 * The queue is guarded by the loop's lock; `posted` tells the loop, without the lock, that it is not empty.
 * An accepted post always runs: the loop is marked ended, under the same lock, only when the queue is
 * empty, and a post that cannot be spawned for want of memory stays at the head and is tried again.
 *
 * The poller is interrupted under the lock, so that it cannot be closed meanwhile. */
#include <stdlib.h>

#include "runtime/runtime.h"

#define RETRY_PERIOD BINE_MS

struct bine__post {
    struct bine__post *next;
    bine_fn *fn;
    void *arg;
};

static void interrupt(struct bine_loop *loop)
{
    loop->interrupts++;
    loop->poller.interrupt(loop);
}

struct bine__post *bine__post_new(bine_fn *fn, void *arg)
{
    struct bine__post *post = malloc(sizeof *post);

    if (post)
        *post = (struct bine__post){NULL, fn, arg};
    return post;
}

int bine__post_put(bine_loop *loop, struct bine__post *post)
{
    pthread_mutex_lock(&loop->lock);
    bool ended = loop->ended;
    if (!ended) {
        *loop->posts_last = post;
        loop->posts_last = &post->next;
        atomic_store_explicit(&loop->from, bine__processor(), memory_order_relaxed); /* a hint */
        /* Either we see that the loop is asleep, or it sees the post before it waits: see remote.c. */
        atomic_store(&loop->posted, true);
        if (loop != bine__loop && atomic_load(&loop->asleep) && atomic_exchange(&loop->asleep, false))
            interrupt(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    return ended ? bine__error(ESRCH) : 0;
}

int bine_post(bine_loop *loop, bine_fn *fn, void *arg)
{
    if (!loop || !fn)
        return bine__error(EINVAL);
    struct bine__post *post = bine__post_new(fn, arg);
    if (!post)
        return -1;
    if (bine__post_put(loop, post) == 0)
        return 0;
    free(post);
    return bine__error(ESRCH);
}

static void retry(struct bine__timer *timer)
{
    struct bine_loop *loop = bine__list_entry(timer, struct bine_loop, post_retry);
    atomic_store_explicit(&loop->posted, true, memory_order_relaxed);
}

void bine__posts_run(struct bine_loop *loop)
{
    static const bine_attr attr = {.name = "post", .detached = true};

    loop->spin.heard = true;
    pthread_mutex_lock(&loop->lock);
    struct bine__post *posts = loop->posts, **last = loop->posts_last;
    loop->posts = NULL;
    loop->posts_last = &loop->posts;
    atomic_store_explicit(&loop->posted, false, memory_order_relaxed);
    pthread_mutex_unlock(&loop->lock);

    while (posts) {
        struct bine_task *task = bine__spawn(loop, &attr, posts->fn, posts->arg, NULL, 0, "bine_post");
        if (!task)
            break;
        struct bine__post *done = posts;
        posts = posts->next;
        free(done);
    }
    if (!posts)
        return;
    /* Out of memory: what is left goes back to the head, for the next try. */
    pthread_mutex_lock(&loop->lock);
    *last = loop->posts;
    if (!loop->posts)
        loop->posts_last = last;
    loop->posts = posts;
    pthread_mutex_unlock(&loop->lock);
    loop->post_retry.fire = retry;
    bine__timer_disarm(&loop->wheel, &loop->post_retry);
    bine__timer_arm(&loop->wheel, &loop->post_retry, bine__clock(loop) + RETRY_PERIOD);
}
