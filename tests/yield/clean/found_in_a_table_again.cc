/* SPDX-License-Identifier: MIT
 *
 * The least busy one of a vector is used, and found again by its number when that is done; the vector grows.  And a
 * state that is set to what it is already. */
#include "../corpus.h"

#include <algorithm>
#include <vector>

struct server {
    int id, busy;
    bool up;
};
static std::vector<server> *servers;

static server *find(int id)
{
    auto it = std::find_if(servers->begin(), servers->end(), [id](const server &s) { return s.id == id; });
    return it == servers->end() ? nullptr : &*it;
}

static void *client(void *arg)
{
    for (int i = 0; i < 5; i++) {
        server *best = nullptr;
        for (auto &s : *servers)
            if (s.up && (!best || s.busy < best->busy))
                best = &s;
        if (!best)
            continue;
        best->busy++;
        int id = best->id;
        bine_sleep(BINE_MS);
        server *again = find(id);
        if (again) {
            again->busy--;
            again->up = true;
        }
    }
    return arg;
}

static void *grower(void *arg)
{
    bine_sleep(3 * BINE_MS);
    servers->push_back(server{7, 0, true});
    return arg;
}

static void *program(void *arg)
{
    std::vector<server> all(3, server{0, 0, true});
    for (int i = 0; i < 3; i++)
        all[(size_t)i].id = i;
    servers = &all;
    BINE_GROUP(group, BINE_GROUP_ALL)
    {
        bine_group_spawn(&group, client, nullptr);
        bine_group_spawn(&group, client, nullptr);
        bine_group_spawn(&group, grower, nullptr);
    }
    int busy = 0;
    for (auto &s : all)
        busy += s.busy;
    EXPECT(busy == 0);
    return arg;
}
PROGRAM(program)
