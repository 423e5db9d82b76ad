/* SPDX-License-Identifier: MIT
 *
 * A token is looked at, the request is prepared, the token is marked as used, though it was replaced meanwhile.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct session {
    char token[8];
    int uses;
};
static struct session *session;

static bool valid(const struct session *s, char t) { return s->token[0] == t; /* SITE looked */ }
static void mark(struct session *s, char t) { s->token[0] = t; /* SITE acted */ }

static void *request(void *arg)
{
    if (!valid(session, 'a'))
        return arg;
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    if (!valid(session, 'a'))
        return arg;
#endif
    mark(session, 'A');
    return arg;
}

static void *renew(void *arg)
{
    bine_sleep(BINE_MS);
    session->token[0] = 'b'; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    session = calloc(1, sizeof *session);
    session->token[0] = 'a';
    both(request, NULL, renew, NULL);
    EXPECT(session->token[0] == 'b');
    free(session);
    return arg;
}
PROGRAM(program)
