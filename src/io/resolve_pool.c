/* SPDX-License-Identifier: MIT
 *
 * Looking a name up by getaddrinfo(3) on a thread of the library's (DNS=pool, the default).
 *
 * A lookup cannot be interrupted, so a caller who is cancelled leaves it alone: the job owns copies of all
 * that it needs, and frees itself, with the list that arrives too late. */
#include "io/resolve.h"

#include "runtime/runtime.h"

const char bine__resolver[] = "pool";

/* On a thread of the pool. */
static void lookup_run(struct bine__job *job)
{
    struct bine__question *question = (struct bine__question *)(void *)job;

    bine__question_ask(question, question->has_hints ? &question->hints : NULL);
}

/* Also for the pool, if nobody waits any more. */
static void lookup_free(struct bine__job *job)
{
    bine__question_free((struct bine__question *)(void *)job);
}

int bine__lookup(struct bine_task *self, const char *host, const char *service, const struct addrinfo *hints,
                 struct addrinfo **list)
{
    struct bine__question *question = bine__question_new(sizeof *question, host, service, hints);

    if (!question)
        return EAI_MEMORY;
    question->job.run = lookup_run;
    question->job.drop = lookup_free;
    if (bine__offload(self->loop, self, &question->job, BINE__OFFLOAD_NAME) != 0)
        return EAI_SYSTEM;
    return bine__question_end(question, list);
}
