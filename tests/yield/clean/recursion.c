/* SPDX-License-Identifier: MIT
 *
 * A recursive walk that yields at each level, by two tasks over one tree that nobody changes. */
#include "../corpus.h"

static struct tree {
    int value;
    struct tree *left, *right;
} node[7];

static int sum(const struct tree *t)
{
    if (!t)
        return 0;
    int left = sum(t->left);
    bine_yield();
    return left + t->value + sum(t->right);
}

static void *walker(void *arg)
{
    EXPECT(sum(&node[0]) == 21);
    return arg;
}

static void *program(void *arg)
{
    for (int i = 0; i < 7; i++) {
        node[i].value = i;
        node[i].left = 2 * i + 1 < 7 ? &node[2 * i + 1] : NULL;
        node[i].right = 2 * i + 2 < 7 ? &node[2 * i + 2] : NULL;
    }
    both(walker, NULL, walker, NULL);
    return arg;
}
PROGRAM(program)
