/* SPDX-License-Identifier: MIT
 *
 * A session is used on both sides of a query; whoever collects the idle ones comes when it is over, today.  With a
 * count of users it asks.
 * KIND: USE-AFTER-FREE */
#include "../corpus.h"

struct session {
    int queries, users;
};
static struct session *sessions[3];

static void *handler(void *arg)
{
    struct session *session = sessions[1];
    if (!session)
        return arg;
    session->queries++; /* SITE looked */
#ifdef FIXED
    session->users++;
    bine_sleep(BINE_MS);
    session->users--;
#else
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    session->queries++; /* SITE acted */
    return arg;
}

static void *collector(void *arg)
{
    bine_sleep(60 * BINE_MINUTE);
    for (int i = 0; i < 3; i++)
        if (sessions[i] && !sessions[i]->users) {
            free(sessions[i]); /* SITE wrote */
            sessions[i] = NULL;
        }
    return arg;
}

static void *program(void *arg)
{
    sessions[1] = calloc(1, sizeof *sessions[1]);
    both(handler, NULL, collector, NULL);
    EXPECT(!sessions[1] || !sessions[1]->users);
    return arg;
}
PROGRAM(program)
