/* Closed-loop job-board load on PostgreSQL, asynchronous libpq, one connection per worker, prepared statements.
 *   post    = insert
 *   claim   = update .. where id = (select .. where owner is null order by seq for update skip locked limit 1) returning id
 *   consume = delete .. where id = .. and owner = ..
 * Each statement is its own transaction. usage: PROGRAM CONNINFO CONC WARM SECS */
#include "bench.h"
#include <libpq-fe.h>
#include <sys/epoll.h>
typedef struct { PGconn *c; int st; uint64_t t0; char id[40], who[24]; } worker;
static worker *W;
static const char *sql[3] = {
    "insert into jobs(id,name,details) values ($1::uuid,$2::text,$3::jsonb)",
    "update jobs set owner=$1::text where id=(select id from jobs where owner is null order by seq for update skip locked limit 1) returning id",
    "delete from jobs where id=$1::uuid and owner=$2::text",
};
static const char *nm[3] = { "post", "claim", "consume" };
static void send_op(worker *w, int op) {
    const char *v[3]; int n = 0;
    w->st = op; w->t0 = now_ns();
    if (op == OP_POST) { b_uuid(w->id); v[0] = w->id; v[1] = "job-resize"; v[2] = B_DETAILS; n = 3; }
    else if (op == OP_CLAIM) { v[0] = w->who; n = 1; }
    else { v[0] = w->id; v[1] = w->who; n = 2; }
    if (!PQsendQueryPrepared(w->c, nm[op], n, v, 0, 0, 0)) { fprintf(stderr, "pg: %s", PQerrorMessage(w->c)); exit(1); }
    PQflush(w->c);
}
int main(int ac, char **av) {
    if (ac < 5) return 2;
    int conc = atoi(av[2]), ep = epoll_create1(0);
    W = calloc((size_t)conc, sizeof *W);
    for (int i = 0; i < conc; i++) {
        worker *w = &W[i];
        w->c = PQconnectdb(av[1]);
        if (PQstatus(w->c) != CONNECTION_OK) { fprintf(stderr, "pg: %s", PQerrorMessage(w->c)); return 1; }
        for (int k = 0; k < 3; k++) PQclear(PQprepare(w->c, nm[k], sql[k], 0, 0));
        snprintf(w->who, sizeof w->who, "worker-%d", i);
        PQsetnonblocking(w->c, 1);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = w };
        epoll_ctl(ep, EPOLL_CTL_ADD, PQsocket(w->c), &e);
    }
    b_init(atof(av[3]), atof(av[4]));
    for (int i = 0; i < conc; i++) send_op(&W[i], OP_POST);
    struct epoll_event ev[256];
    while (now_ns() < B_end + 300000000ull) {
        int n = epoll_wait(ep, ev, 256, 50);
        for (int i = 0; i < n; i++) {
            worker *w = ev[i].data.ptr;
            if (!PQconsumeInput(w->c)) { fprintf(stderr, "pg: %s", PQerrorMessage(w->c)); return 1; }
            if (PQisBusy(w->c)) continue;
            int rows = -1; PGresult *r;
            while (!PQisBusy(w->c) && (r = PQgetResult(w->c))) {
                ExecStatusType s = PQresultStatus(r);
                if (s == PGRES_COMMAND_OK) rows = atoi(PQcmdTuples(r));
                else if (s == PGRES_TUPLES_OK) { rows = PQntuples(r); if (rows) snprintf(w->id, sizeof w->id, "%s", PQgetvalue(r, 0, 0)); }
                else { fprintf(stderr, "pg: %s", PQresultErrorMessage(r)); return 1; }
                PQclear(r);
            }
            uint64_t t = now_ns();
            if (rows == 1) {
                b_ack(w->st, w->t0, t);
                if (w->st < OP_CONSUME) send_op(w, w->st + 1);
                else if (t < B_end) send_op(w, OP_POST);
            } else { B_errors++; if (t < B_end) { uint64_t t0 = w->t0; send_op(w, w->st); w->t0 = t0; } }   /* nothing free just now: ask again */
        }
    }
    b_print();
    return 0;
}
