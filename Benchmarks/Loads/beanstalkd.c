/* Closed-loop job-board load on beanstalkd, one connection per worker.
 *   post = put, claim = reserve (whichever job is next), consume = delete
 * usage: PROGRAM PORT CONC WARM SECS */
#include "net.h"
typedef struct { conn *c; int st; uint64_t t0; unsigned long long id; } worker;
static worker *W;
static void post(worker *w) {
    char u[37], job[600]; b_uuid(u); int n = b_job(job, sizeof job, u);
    w->st = OP_POST; w->t0 = now_ns();
    net_putf(w->c, "put 1024 0 60 %d\r\n", n); net_put(w->c, job, (size_t)n); net_put(w->c, "\r\n", 2);
}
static size_t data(conn *c, char *b, size_t n) {
    worker *w = &W[c->idx]; size_t u = 0;
    for (;;) {
        char *e = find_crlf(b + u, n - u);
        if (!e) return u;
        char *l = b + u; size_t ll = (size_t)(e - l) + 2; unsigned long long id, len;
        if (w->st == OP_CLAIM && sscanf(l, "RESERVED %llu %llu", &id, &len) == 2) {
            if (n - u < ll + len + 2) return u;
            ll += len + 2; w->id = id;
        } else if (w->st == OP_POST ? strncmp(l, "INSERTED", 8) : strncmp(l, "DELETED", 7)) {
            B_errors++; fprintf(stderr, "beanstalkd: %.*s\n", (int)(e - l), l); exit(1);
        }
        u += ll;
        uint64_t t = now_ns();
        b_ack(w->st, w->t0, t);
        if (w->st == OP_POST) { w->st = OP_CLAIM; w->t0 = t; net_put(c, "reserve\r\n", 9); }
        else if (w->st == OP_CLAIM) { w->st = OP_CONSUME; w->t0 = t; net_putf(c, "delete %llu\r\n", w->id); }
        else if (t < B_end) post(w);
    }
}
int main(int ac, char **av) {
    if (ac < 5) return 2;
    int conc = atoi(av[2]);
    W = calloc((size_t)conc, sizeof *W);
    on_data = data;
    for (int i = 0; i < conc; i++) if (!(W[i].c = net_open(atoi(av[1])))) { perror("connect"); return 1; }
    b_init(atof(av[3]), atof(av[4]));
    for (int i = 0; i < conc; i++) post(&W[i]);
    while (now_ns() < B_end + 300000000ull) net_turn(50);
    b_print();
    return 0;
}
