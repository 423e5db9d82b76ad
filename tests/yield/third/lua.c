/* SPDX-License-Identifier: MIT
 *
 * Two tasks, each with a Lua of its own that computes, collects garbage, throws and catches, and sleeps in the
 * middle of coroutines; what both have in common are constants, and a table of results under a lock. */
#include "../corpus.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static bine_mutex lock = BINE_MUTEX_INIT;
static long results[2];
static int pauses;

static const char script[] =
    "local t, sum = {}, 0\n"
    "for i = 1, 60 do t[i] = { key = 'k' .. i, value = i * 2 } end\n"
    "table.sort(t, function(a, b) return a.value > b.value end)\n"
    "local function each(list) return coroutine.wrap(function()\n"
    "  for _, v in ipairs(list) do pause() coroutine.yield(v) end end) end\n"
    "for v in each(t) do sum = sum + v.value; t[v.key] = string.format('%05d', v.value) end\n"
    "for i = 1, 10 do\n"
    "  local good, why = pcall(function() pause() error({ code = i }) end)\n"
    "  assert(not good and why.code == i)\n"
    "  if i % 5 == 0 then collectgarbage() end\n"
    "end\n"
    "local words = {}\n"
    "for w in ('a quick brown fox'):gmatch('%a+') do words[#words + 1] = w:upper() end\n"
    "assert(table.concat(words, ' ') == 'A QUICK BROWN FOX')\n"
    "return sum\n";

static int pause_now(lua_State *lua)
{
    (void)lua;
    pauses++;
    bine_sleep(BINE_MS);
    return 0;
}

static void *interpreter(void *arg)
{
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_register(lua, "pause", pause_now);
    EXPECT(luaL_loadstring(lua, script) == LUA_OK);
    if (lua_pcall(lua, 0, 1, 0) != LUA_OK)
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    bine_mutex_lock(&lock);
    *(long *)arg = (long)lua_tointeger(lua, -1);
    bine_sleep(BINE_MS);
    bine_mutex_unlock(&lock);
    lua_close(lua);
    return NULL;
}

static void *program(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.stack_size = 1 << 20;
    bine_task *one = bine_spawn_with(&attr, interpreter, &results[0]);
    bine_task *two = bine_spawn_with(&attr, interpreter, &results[1]);
    bine_join(one, NULL);
    bine_join(two, NULL);
    EXPECT(results[0] == 3660 && results[1] == 3660 && pauses == 140);
    return arg;
}
PROGRAM(program)
