/* SPDX-License-Identifier: MIT
 *
 * Topics in a tree of their names' letters: the search that asks whether a topic is taken also makes room for it.
 * After the wait nobody asks any more.
 * KIND: STALE-CHECK */
#include "../corpus.h"

struct letter {
    struct letter *next[26];
    int owner;
};
static struct letter *root;
static int granted;

static struct letter *walk(const char *name, int make)
{
    struct letter **at = &root;
    for (;; at = &(*at)->next[*name++ - 'a']) {
        if (!*at && !make) /* SITE looked */
            return NULL;
        if (!*at)
            *at = calloc(1, sizeof **at); /* SITE looked */
        if (!*name)
            return *at;
    }
}

static void ask_the_cluster(const char *name)
{
    bine_sleep((bine_ns)strlen(name) * BINE_MS); /* SITE gave-up */
}

static int is_free(const char *name)
{
    struct letter *found = walk(name, 0);
    return !found || !found->owner; /* SITE looked */
}

static void own(const char *name, int owner)
{
    walk(name, 1)->owner = owner; /* SITE wrote acted */
}

static void *claim(void *arg)
{
    if (!is_free("news")) /* SITE looked */
        return NULL;
#ifdef FIXED
    own("news", *(int *)arg);
    ask_the_cluster("news");
#else
    ask_the_cluster("news");
    own("news", *(int *)arg);
#endif
    granted++;
    return NULL;
}

static void forget(struct letter *one)
{
    for (int i = 0; one && i < 26; i++)
        forget(one->next[i]);
    free(one);
}

static void *program(void *arg)
{
    static int ann = 1, ben = 2;
    walk("new", 1);
    both(claim, &ann, claim, &ben);
    forget(root);
    EXPECT(granted == 1);
    return arg;
}
PROGRAM(program)
