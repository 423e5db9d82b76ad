/* SPDX-License-Identifier: MIT
 *
 * A transaction as a block, over PostgreSQL: committed at its end, rolled back however else it is left.
 *
 *     transaction "host=... user=... dbname=..."
 *
 * libpq knows nothing of bine: its calls that do not block are put under bine_poll_fd(), and what they
 * make looks as if it blocked (db_open, db_query).  Both ends of the block wait for the server.  They
 * stand in a shield, so that the rollback gets through although the task has been cancelled.  series() is
 * a cursor: a row is handed out as it arrives. */
#include <bine.h>

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "../lib/program.h"

static PGconn *db_open(const char *info)
{
    PGconn *db = PQconnectStart(info);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (db && PQstatus(db) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        if (bine_poll_fd(PQsocket(db), next == PGRES_POLLING_READING ? POLLIN : POLLOUT) < 0)
            break;
        next = PQconnectPoll(db);
    }
    if (db && next == PGRES_POLLING_OK && PQsetnonblocking(db, 1) == 0)
        return db;
    fprintf(stderr, "%s", PQerrorMessage(db));
    PQfinish(db);
    errno = ECONNREFUSED;
    return NULL;
}

/* The next result of what was sent; NULL: that was all, or the wait was cut short. */
static PGresult *next_result(PGconn *db)
{
    int flushed;
    while ((flushed = PQflush(db)) > 0 || (flushed == 0 && PQisBusy(db)))
        if (bine_poll_fd(PQsocket(db), flushed ? POLLIN | POLLOUT : POLLIN) < 0 || !PQconsumeInput(db))
            return NULL;
    return PQgetResult(db);
}

/* Sends and waits for the end.  0, with the first row's first field in value; -1: refused, or cut short. */
static int db_query(PGconn *db, const char *sql, char value[32])
{
    int how = 0;
    for (PGresult *stale; (stale = next_result(db));)
        PQclear(stale); /* of a query that was cut short */
    if (!PQsendQuery(db, sql))
        return -1;
    for (PGresult *result; (result = next_result(db)); PQclear(result)) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
            printf("  %s: %s\n", sql, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
            how = -1;
        }
        if (value && PQntuples(result) > 0)
            snprintf(value, 32, "%s", PQgetvalue(result, 0, 0));
    }
    return PQtransactionStatus(db) == PQTRANS_ACTIVE ? -1 : how;
}

struct transaction {
    PGconn *db;
    bool open;
};

static void end(struct transaction *t, const char *how)
{
    printf("  %s\n", how);
    t->open = false;
    BINE_SHIELD_FOR(10 * BINE_SECOND)
        db_query(t->db, how, NULL);
}

static struct transaction begin(PGconn *db)
{
    return (struct transaction){db, db_query(db, "BEGIN", NULL) == 0};
}

static void leave(struct transaction *t)
{
    if (t->open)
        end(t, "ROLLBACK");
}

/* TRANSACTION(db) { ... }   break, return and goto roll back. */
#define TRANSACTION(db) \
    for (struct transaction t __attribute__((__cleanup__(leave))) = begin(db); t.open; end(&t, "COMMIT"))

static void transfer(PGconn *db, bine_ns pause)
{
    TRANSACTION(db) {
        if (db_query(db, "UPDATE account SET balance = balance + 70 WHERE name = 'bob'", NULL) < 0 ||
            bine_sleep(pause) < 0 ||
            db_query(db, "UPDATE account SET balance = balance - 70 WHERE name = 'ann'", NULL) < 0)
            break;
    }
}

static void balances(PGconn *db, const char *when)
{
    char text[32] = "?";
    db_query(db, "SELECT string_agg(name || ' ' || balance, ', ' ORDER BY name) FROM account", text);
    printf("%s: %s\n", when, text);
}

static void *series(bine_gen *g, void *db)
{
    bool wanted = PQsendQuery(db, "SELECT generate_series(0, 2)") && PQsetSingleRowMode(db);
    for (PGresult *row; (row = next_result(db)); PQclear(row)) /* also when closed: to the end */
        if (wanted && PQntuples(row) == 1)
            wanted = bine_gen_yield(g, PQgetvalue(row, 0, 0), NULL) == 0;
    return NULL;
}

static void *run(void *info)
{
    PGconn *db = db_open(info);
    if (!db)
        return bine_fail(errno);
    db_query(db, "CREATE TEMPORARY TABLE account (name text, balance int CHECK (balance >= 0));"
                 "INSERT INTO account VALUES ('ann', 100), ('bob', 0)", NULL);
    transfer(db, 0);
    balances(db, "reaches the end");
    transfer(db, 0);
    balances(db, "refused half-way");
    BINE_TIMEOUT(20 * BINE_MS)
        transfer(db, BINE_MINUTE);
    balances(db, "cancelled half-way");

    bine_gen *rows = bine_gen_new(series, db);
    TRANSACTION(db) {
        BINE_FOR_EACH(row, rows)
            printf("  %s\n", (const char *)row);
    }
    bine_gen_free(rows);
    PQfinish(db);
    return NULL;
}

int main(int argc, char **argv)
{
    bine_result result = {NULL, 0};
    int how = bine_run(run, argc > 1 ? argv[1] : "", &result);
    return program_end(argv[0], how, result.error);
}
