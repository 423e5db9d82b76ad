/* SPDX-License-Identifier: MIT
 *
 * Sorting, hashing, and walking a tree, without a switch: what computing costs under the detector. */
#include <bine.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 40000, ROUNDS = 6 };

struct node {
    uint32_t key;
    struct node *left, *right;
};

static void sort(uint32_t *a, int n)
{
    while (n > 1) {
        uint32_t pivot = a[n / 2];
        int i = 0, j = n - 1;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        sort(a, j + 1);
        a += i;
        n -= i;
    }
}

static uint32_t hash(const unsigned char *p, int n)
{
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

static void insert(struct node **at, struct node *n)
{
    while (*at)
        at = n->key < (*at)->key ? &(*at)->left : &(*at)->right;
    *at = n;
}

static void *program(void *arg)
{
    uint32_t *a = malloc(N * sizeof *a), sum = 0;
    struct node *node = malloc(N * sizeof *node);
    bine_ns start = bine_now();
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t x = 1;
        struct node *root = NULL;
        for (int i = 0; i < N; i++) {
            a[i] = x = x * 1664525u + 1013904223u;
            node[i] = (struct node){x, NULL, NULL};
            insert(&root, &node[i]);
        }
        sum ^= hash((unsigned char *)a, N * (int)sizeof *a);
        sort(a, N);
        bine_yield();
    }
    printf("%ld\n", (long)((bine_now() - start) / BINE_US));
    free(a);
    free(node);
    return sum == 1 ? NULL : arg;
}

int main(void)
{
    return bine_run(program, NULL, NULL) < 0;
}
