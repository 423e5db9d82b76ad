/* SPDX-License-Identifier: MIT
 *
 * C++: the first to come asks who somebody is; meanwhile others come.  Then each adds to what is there, or asks
 * again before it puts something there. */
#include "../corpus.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

struct guest {
    std::string title;
    int visits = 0;
    std::vector<int> tables;
};
static std::map<std::string, std::unique_ptr<guest>> guests;
static std::map<std::string, int> visits;
static std::map<std::string, std::vector<int>> tables;

static std::string ask(const std::string &name)
{
    bine_sleep((bine_ns)name.size() * BINE_MS);
    return "Dr. " + name;
}

static void come(const std::string &name, int table)
{
    bool known = guests.find(name) != guests.end();
    std::string title = known ? guests[name]->title : ask(name);
    auto &one = guests[name];
    if (!one) {
        one = std::make_unique<guest>();
        one->title = title;
    }
    one->visits++;
    one->tables.push_back(table);
    visits[name] += 1;
    tables[name].push_back(table);
}

static void *party(void *arg)
{
    for (int i = 0; i < 3; i++)
        come(i % 2 ? "berta" : "ada", *static_cast<int *>(arg) + i);
    return nullptr;
}

static void *program(void *arg)
{
    static int a = 10, b = 20;
    both(party, &a, party, &b);
    EXPECT(visits["ada"] == 4 && visits["berta"] == 2);
    EXPECT(guests["ada"]->visits == 4 && guests["ada"]->tables.size() == 4 && tables["berta"].size() == 2);
    return arg;
}
PROGRAM(program)
