/* Closed-loop job-board load on Redis, one connection per worker, Lua scripts by EVALSHA as TaskFlow's redis
 * jobboard does (a listings hash, an owner key and a last-modified key per job).
 *   post    = HSETNX listings <uuid> <job>
 *   claim   = if HEXISTS listings job and SET owner NX (with expiry) then SET last_modified
 *   consume = if GET owner == who then DEL owner, last_modified; HDEL listings job
 * With WAIT=1 every script is followed by WAIT 1 0 on the same connection; an op is acknowledged when WAIT says >=1.
 * usage: redis PORT CONC WARM SECS [WAIT] */
#include "net.h"
typedef struct { conn *c; int st, part; uint64_t t0; char uuid[37], who[24]; } worker;
static worker *W; static int conc, wait1, nsha;
static char sha[3][41];
static const char *lua[3] = {
    "if redis.call('hsetnx', KEYS[1], ARGV[1], ARGV[2]) == 1 then return 1 end return 0",
    "if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then return 0 end "
    "if not redis.call('set', KEYS[2], ARGV[2], 'NX', 'PX', 60000) then return 0 end "
    "redis.call('set', KEYS[3], ARGV[3]) return 1",
    "if redis.call('get', KEYS[2]) ~= ARGV[2] then return 0 end "
    "redis.call('del', KEYS[2], KEYS[3]) redis.call('hdel', KEYS[1], ARGV[1]) return 1",
};
static void cmd(conn *c, int n, const char **a) {
    net_putf(c, "*%d\r\n", n);
    for (int i = 0; i < n; i++) { net_putf(c, "$%zu\r\n", strlen(a[i])); net_put(c, a[i], strlen(a[i])); net_put(c, "\r\n", 2); }
}
static void send_op(worker *w, int op) {
    char own[64], lm[72], job[600];
    w->st = op; w->part = 0; w->t0 = now_ns();
    snprintf(own, sizeof own, "tf.%s.owner", w->uuid); snprintf(lm, sizeof lm, "tf.%s.last_modified", w->uuid);
    if (op == OP_POST) {
        b_job(job, sizeof job, w->uuid);
        cmd(w->c, 6, (const char *[]){ "EVALSHA", sha[0], "1", "tf.listings", w->uuid, job });
    } else
        cmd(w->c, 9, (const char *[]){ "EVALSHA", sha[op], "3", "tf.listings", own, lm, w->uuid, w->who, "2026-01-01T00:00:00" });
    if (wait1) cmd(w->c, 3, (const char *[]){ "WAIT", "1", "0" });
}
static void begin(worker *w) { b_uuid(w->uuid); send_op(w, OP_POST); }
static size_t data(conn *c, char *b, size_t n) {
    size_t u = 0;
    for (;;) {
        char *e = find_crlf(b + u, n - u);
        if (!e) return u;
        char *l = b + u;
        if (!W) {                                   /* setup: bulk reply with a sha */
            if (*l == '$') { if (n - u < (size_t)(e - l) + 2 + 42) return u; memcpy(sha[nsha], e + 2, 40); nsha++; u += (size_t)(e - l) + 2 + 42; continue; }
            fprintf(stderr, "redis: %.*s\n", (int)(e - l), l); exit(1);
        }
        worker *w = &W[c->idx - 1];
        u += (size_t)(e - l) + 2;
        if (w->st == 9) continue;
        if (*l != ':' || l[1] == '0') {
            fprintf(stderr, "redis: op %d: %.*s\n", w->st, (int)(e - l), l); exit(1);
        }
        if (wait1 && w->part == 0) { w->part = 1; continue; }
        uint64_t t = now_ns();
        b_ack(w->st, w->t0, t);
        if (w->st < OP_CONSUME) send_op(w, w->st + 1);
        else if (t < B_end) begin(w); else w->st = 9;
    }
}
static void closed(conn *c) {
    (void)c;
    fprintf(stderr, "redis: connection lost\n"); exit(1);
}
static void load_scripts(conn *c) { for (int i = 0; i < 3; i++) cmd(c, 3, (const char *[]){ "SCRIPT", "LOAD", lua[i] }); }
int main(int ac, char **av) {
    if (ac < 5) return 2;
    int port = atoi(av[1]);
    conc = atoi(av[2]); wait1 = ac > 5 ? atoi(av[5]) : 0;
    on_data = data; on_close = closed;
    conn *s = net_open(port);
    if (!s) { perror("connect"); return 1; }
    load_scripts(s);
    while (nsha < 3) net_turn(100);
    W = calloc((size_t)conc, sizeof *W);
    for (int i = 0; i < conc; i++) {
        if (!(W[i].c = net_open(port))) { perror("connect"); return 1; }
        snprintf(W[i].who, sizeof W[i].who, "worker-%d", i);
    }
    b_init(atof(av[3]), atof(av[4]));
    for (int i = 0; i < conc; i++) begin(&W[i]);
    while (now_ns() < B_end + 300000000ull) net_turn(50);
    b_print();
    return 0;
}
