/* SPDX-License-Identifier: MIT
 *
 * Two tasks, each with a database of its own, that switch in SQLite's progress handler, in the middle of its virtual
 * machine; and a third database that both use, in turn, under a lock. */
#include "../corpus.h"

#include <sqlite3.h>

static bine_mutex lock = BINE_MUTEX_INIT;
static sqlite3 *common;
static int switches;

static int pause_now(void *arg)
{
    (void)arg;
    switches++;
    bine_yield();
    return 0;
}

static int take(void *arg, int columns, char **value, char **name)
{
    (void)columns, (void)name;
    *(long *)arg = value[0] ? atol(value[0]) : -1;
    return 0;
}

static long run(sqlite3 *db, const char *sql)
{
    long result = -1;
    char *why = NULL;
    if (sqlite3_exec(db, sql, take, &result, &why) != SQLITE_OK) {
        fprintf(stderr, "%s\n", why);
        corpus_broken = 1;
        sqlite3_free(why);
    }
    return result;
}

static void *user(void *arg)
{
    sqlite3 *db;
    EXPECT(sqlite3_open(":memory:", &db) == SQLITE_OK);
    sqlite3_progress_handler(db, 200, pause_now, NULL);
    run(db, "create table t (a integer primary key, b text)");
    run(db, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 150)"
            " insert into t select i, 'row ' || i from n");
    run(db, "create index i on t (b)");
    EXPECT(run(db, "select sum(a) from t where b > 'row 2'") > 0);
    run(db, "update t set b = upper(b) where a % 3 = 0");
    EXPECT(run(db, "select count(*) from t where b like 'ROW%'") == 150);
    for (int i = 0; i < 5; i++) {
        bine_mutex_lock(&lock);
        run(common, "update counter set n = n + 1");
        bine_yield();
        bine_mutex_unlock(&lock);
    }
    sqlite3_close(db);
    return arg;
}

static void *program(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.stack_size = 1 << 20;
    sqlite3_open(":memory:", &common);
    run(common, "create table counter (n integer); insert into counter values (0)");
    bine_task *one = bine_spawn_with(&attr, user, NULL), *two = bine_spawn_with(&attr, user, NULL);
    bine_join(one, NULL);
    bine_join(two, NULL);
    EXPECT(run(common, "select n from counter") == 10 && switches > 10);
    sqlite3_close(common);
    return arg;
}
PROGRAM(program)
