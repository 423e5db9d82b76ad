/* SPDX-License-Identifier: MIT
 *
 * The same transactions over SQLite, which blocks: each of its calls runs on a thread, and the block stays as it is.
 *
 *     transaction_sqlite [file]
 *
 * A library that can only block goes through bine_offload(): the task waits, the others go on, and since the call
 * returns only when the thread is done, arguments and results lie on the task's stack.  A cancellation is seen
 * afterwards.  Compare transaction.c, whose library can wait under bine_poll_fd(). */
#include <bine.h>
#include <bine/offload.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "../lib/program.h"

struct call {
    sqlite3 *db;
    const char *sql, *file;
    sqlite3_stmt *statement;
    char *value; /* 32 bytes for the first row's first field, or NULL */
    int result;
};

/* do_...() run on a thread. */
static void *do_open(void *arg)
{
    struct call *call = arg;
    call->result = sqlite3_open(call->file, &call->db);
    return NULL;
}

static int first_field(void *value, int n, char **field, char **name)
{
    (void)name;
    if (value && n > 0)
        snprintf(value, 32, "%s", field[0] ? field[0] : "");
    return 0;
}

static void *do_query(void *arg)
{
    struct call *call = arg;
    call->result = sqlite3_exec(call->db, call->sql, first_field, call->value, NULL);
    return NULL;
}

static void *do_step(void *arg)
{
    struct call *call = arg;
    if (call->statement || sqlite3_prepare_v2(call->db, call->sql, -1, &call->statement, NULL) == SQLITE_OK)
        call->result = sqlite3_step(call->statement);
    return NULL;
}

/* 0, with the first row's first field in value; -1: refused, or not done. */
static int db_query(sqlite3 *db, const char *sql, char value[32])
{
    struct call call = {.db = db, .sql = sql, .value = value};
    if (bine_offload(do_query, &call, NULL) != 0)
        return -1;
    if (call.result == SQLITE_OK)
        return 0;
    printf("  %s: %s\n", sql, sqlite3_errmsg(db));
    return -1;
}

struct transaction {
    sqlite3 *db;
    bool open;
};

static void end(struct transaction *t, const char *how)
{
    printf("  %s\n", how);
    t->open = false;
    BINE_SHIELD_FOR(10 * BINE_SECOND)
        db_query(t->db, how, NULL);
}

static void leave(struct transaction *t)
{
    if (t->open)
        end(t, "ROLLBACK");
}

/* TRANSACTION(db) { ... }   break, return and goto roll back. */
#define TRANSACTION(db) \
    for (struct transaction t __attribute__((__cleanup__(leave))) = {(db), db_query((db), "BEGIN", NULL) == 0}; \
         t.open; end(&t, "COMMIT"))

static void transfer(sqlite3 *db, bine_ns pause)
{
    TRANSACTION(db) {
        if (db_query(db, "UPDATE account SET balance = balance + 70 WHERE name = 'bob'", NULL) < 0 ||
            bine_sleep(pause) < 0 ||
            db_query(db, "UPDATE account SET balance = balance - 70 WHERE name = 'ann'", NULL) < 0)
            break;
    }
}

static void balances(sqlite3 *db, const char *when)
{
    char text[32] = "?";
    db_query(db, "SELECT group_concat(name || ' ' || balance, ', ') FROM (SELECT * FROM account ORDER BY name)", text);
    printf("%s: %s\n", when, text);
}

static void *series(bine_gen *g, void *db)
{
    struct call call = {.db = db, .sql = "SELECT name FROM account ORDER BY name"};
    while (bine_offload(do_step, &call, NULL) == 0 && call.result == SQLITE_ROW)
        if (bine_gen_yield(g, (void *)(uintptr_t)sqlite3_column_text(call.statement, 0), NULL) != 0)
            break;
    sqlite3_finalize(call.statement);
    return NULL;
}

static void *run(void *file)
{
    struct call call = {.file = file};
    sqlite3 *db = bine_offload(do_open, &call, NULL) == 0 ? call.db : NULL;
    if (db_query(db, "CREATE TABLE account (name text, balance int CHECK (balance >= 0));"
                     "INSERT INTO account VALUES ('ann', 100), ('bob', 0)", NULL) != 0)
        return sqlite3_close(db), bine_fail(EIO);
    transfer(db, 0);
    balances(db, "reaches the end");
    transfer(db, 0);
    balances(db, "refused half-way");
    BINE_TIMEOUT(20 * BINE_MS)
        transfer(db, BINE_MINUTE);
    balances(db, "cancelled half-way");

    bine_gen *rows = bine_gen_new(series, db);
    BINE_FOR_EACH(row, rows)
        printf("  %s\n", (const char *)row);
    bine_gen_free(rows);
    sqlite3_close(db);
    return NULL;
}

int main(int argc, char **argv)
{
    bine_result result = {NULL, 0};
    int how = bine_run(run, argc > 1 ? argv[1] : ":memory:", &result);
    return program_end(argv[0], how, result.error);
}
