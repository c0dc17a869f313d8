/* Closed-loop job-board load on ZooKeeper, async C API, single session by default.
 *   post    = create persistent sequential /jobs/job-  (value = the job's JSON)
 *   claim   = multi(check job exists, create ephemeral <job>.lock with the owner)
 *   consume = multi(delete <job>.lock, delete <job>)
 * usage: zookeeper HOSTS CONC WARM SECS [SESSIONS] */
#define THREADED
#include "bench.h"
#include <pthread.h>
#include <zookeeper/zookeeper.h>

typedef struct {
    int id; zhandle_t **zh; uint64_t t0; char job[64], lock[72], who[24], val[512]; int vlen;
    zoo_op_t ops[2]; zoo_op_result_t res[2]; char pb[80];
} worker;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static zhandle_t *Z[64];
static int nsess = 1;
static volatile int connected[64];
static volatile long live;
static char hosts[512];

static void start(worker *w);
static void watcher(zhandle_t *z, int type, int state, const char *p, void *ctx) {
    (void)z; (void)p;
    if (type == ZOO_SESSION_EVENT) connected[(long)ctx] = state == ZOO_CONNECTED_STATE ? 1 : state == ZOO_EXPIRED_SESSION_STATE ? -1 : 0;
}
static void acked(int op, worker *w) {
    uint64_t t = now_ns();
    pthread_mutex_lock(&mu); b_ack(op, w->t0, t); pthread_mutex_unlock(&mu);
}
static void failed(worker *w, int rc) {
    pthread_mutex_lock(&mu); B_errors++; pthread_mutex_unlock(&mu);
    static int said;
    if (said++ < 3) fprintf(stderr, "zk: %s\n", zerror(rc));
    if (now_ns() >= B_end) { __sync_fetch_and_sub(&live, 1); return; }
    start(w);                                   /* a new job; the library reconnects underneath */
}
static void on_consume(int rc, const void *d) {
    worker *w = (void *)d;
    if (rc) { failed(w, rc); return; }
    acked(OP_CONSUME, w);
    if (now_ns() >= B_end) { __sync_fetch_and_sub(&live, 1); return; }
    start(w);
}
static void on_claim(int rc, const void *d) {
    worker *w = (void *)d;
    if (rc) { failed(w, rc); return; }
    acked(OP_CLAIM, w);
    zoo_delete_op_init(&w->ops[0], w->lock, 0);
    zoo_delete_op_init(&w->ops[1], w->job, 0);
    w->t0 = now_ns();
    rc = zoo_amulti(*w->zh, 2, w->ops, w->res, on_consume, w);
    if (rc) failed(w, rc);
}
static void on_post(int rc, const char *path, const void *d) {
    worker *w = (void *)d;
    if (rc) { failed(w, rc); return; }
    acked(OP_POST, w);
    snprintf(w->job, sizeof w->job, "%s", path);
    snprintf(w->lock, sizeof w->lock, "%s.lock", path);
    zoo_check_op_init(&w->ops[0], w->job, 0);
    zoo_create_op_init(&w->ops[1], w->lock, w->who, (int)strlen(w->who), &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, w->pb, sizeof w->pb);
    w->t0 = now_ns();
    rc = zoo_amulti(*w->zh, 2, w->ops, w->res, on_claim, w);
    if (rc) failed(w, rc);
}
static void *later(void *x) { usleep(5000); start(x); return 0; }
static void start(worker *w) {
    if (now_ns() >= B_end) { __sync_fetch_and_sub(&live, 1); return; }
    char u[37];
    pthread_mutex_lock(&mu); b_uuid(u); pthread_mutex_unlock(&mu);
    w->vlen = b_job(w->val, sizeof w->val, u);
    w->t0 = now_ns();
    int rc = zoo_acreate(*w->zh, "/jobs/job-", w->val, w->vlen, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, on_post, w);
    if (rc) { pthread_t t; pthread_create(&t, 0, later, w); pthread_detach(t); }
}
int main(int ac, char **av) {
    if (ac < 5) return 2;
    zoo_set_debug_level(0);
    snprintf(hosts, sizeof hosts, "%s", av[1]);
    int conc = atoi(av[2]);
    double warm = atof(av[3]), secs = atof(av[4]);
    if (ac > 5) nsess = atoi(av[5]);
    zoo_deterministic_conn_order(1);
    for (long i = 0; i < nsess; i++) {
        Z[i] = zookeeper_init(hosts, watcher, 30000, 0, (void *)i, 0);
        if (!Z[i]) { perror("zookeeper_init"); return 1; }
    }
    for (int i = 0; i < nsess; i++) for (int k = 0; k < 2000 && connected[i] != 1; k++) usleep(5000);
    int rc = zoo_create(Z[0], "/jobs", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, 0, 0);
    if (rc && rc != ZNODEEXISTS) { fprintf(stderr, "create /jobs: %s\n", zerror(rc)); return 1; }
    worker *w = calloc((size_t)conc, sizeof *w);
    live = conc;
    b_init(warm, secs);
    for (int i = 0; i < conc; i++) {
        w[i].id = i; w[i].zh = &Z[i % nsess];
        snprintf(w[i].who, sizeof w[i].who, "worker-%d", i);
        start(&w[i]);
    }
    while (now_ns() < B_end) {
        usleep(20000);
        for (long i = 0; i < nsess; i++) if (connected[i] == -1) { fprintf(stderr, "session expired\n"); connected[i] = -2; }
    }
    for (int k = 0; k < 300 && live > 0; k++) usleep(10000);
    pthread_mutex_lock(&mu); b_print(); pthread_mutex_unlock(&mu);
    _exit(0);
}
