/* SPDX-License-Identifier: MIT
 *
 * What is looked up is cached by its name.  Who looks for a name that nobody else looks up waits, and enters it;
 * others have entered other names meanwhile, to which the map links the new one. */
#include "../corpus.h"

#include <string>
#include <unordered_map>

class addresses {
public:
    int of(const std::string &name)
    {
        auto found = known_.find(name);
        if (found != known_.end())
            return found->second;
        auto sought = sought_.find(name);
        if (sought != sought_.end())
            return -1;
        sought_[name] = true;
        bine_sleep(3 * BINE_MS);
        int address = (int)name.size() * 16;
        known_[name] = address;
        sought_.erase(name);
        return address;
    }

private:
    std::unordered_map<std::string, bool> sought_;
    std::unordered_map<std::string, int> known_;
};
static addresses *all;
static int asked;

static void *visitor(void *arg)
{
    static const char *const names[] = {"a", "bb", "ccc", "dddd"};
    for (int i = 0; i < 4; i++) {
        const char *name = names[(i + *static_cast<int *>(arg)) % 4];
        int address = all->of(name);
        EXPECT(address == -1 || address == (int)strlen(name) * 16);
        asked++;
    }
    return nullptr;
}

static void *program(void *arg)
{
    static int from[] = {0, 1, 2};
    addresses mine;
    all = &mine;
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (int &one : from)
            bine_group_spawn(&group, visitor, &one);
    EXPECT(asked == 12);
    return arg;
}
PROGRAM(program)
