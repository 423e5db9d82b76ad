/* SPDX-License-Identifier: MIT
 *
 * Readers keep a std::shared_ptr to a snapshot across waits; whoever lets go of one last frees it. */
#include "../corpus.h"

#include <memory>
#include <vector>

using snapshot = std::shared_ptr<const std::vector<int>>;
static snapshot current;
static int wrong;

static void *writer(void *arg)
{
    for (int i = 0; i < 4; i++) {
        auto next = std::make_shared<std::vector<int>>(*current);
        next->push_back(i);
        current = next;
        bine_sleep(2 * BINE_MS);
    }
    return arg;
}

static void *reader(void *arg)
{
    for (int i = 0; i < 6; i++) {
        snapshot mine = current;
        size_t n = mine->size();
        bine_sleep(BINE_MS);
        if (mine->size() != n)
            wrong++;
        bine_yield();
    }
    return arg;
}

static void *program(void *arg)
{
    current = std::make_shared<std::vector<int>>(1, 0);
    BINE_GROUP(all, BINE_GROUP_ALL)
    {
        bine_group_spawn(&all, writer, nullptr);
        bine_group_spawn(&all, reader, nullptr);
        bine_group_spawn(&all, reader, nullptr);
    }
    EXPECT(!wrong && current->size() == 5);
    current.reset();
    return arg;
}
PROGRAM(program)
