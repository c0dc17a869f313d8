/* What the box itself allows: fdatasync, loopback TCP, and a best-case replicated durable append.
 *   limit fsync DIR SECS MODE       MODE: grow | falloc | overwrite
 *   limit ping SECS [BYTES]
 *   limit repl DIR WARM SECS INFLIGHT MODE [ENTRY_BYTES]
 * repl: client -> leader -> 2 followers, all separate processes over 127.0.0.1 TCP. The leader forwards
 * whatever it has read to both followers at once while its disk thread writes+fdatasyncs it; an entry
 * is acknowledged when 2 of the 3 have it on disk. No terms, no log matching, no state machine. */
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/prctl.h>

#define WAL (64 << 20)
static void die(const char *s) { perror(s); exit(1); }

typedef struct { int fd, mode; off_t off; } wal;   /* mode 0 grow, 1 falloc, 2 overwrite */
static int mode_of(const char *s) { return !strcmp(s, "grow") ? 0 : !strcmp(s, "falloc") ? 1 : 2; }
static wal wal_open(const char *dir, const char *name, int mode) {
    char p[512]; snprintf(p, sizeof p, "%s/%s", dir, name);
    wal w = { open(p, O_CREAT | O_TRUNC | O_RDWR, 0600), mode, 0 };
    if (w.fd < 0) die(p);
    if (mode == 1 && posix_fallocate(w.fd, 0, WAL)) die("fallocate");
    if (mode == 2) {
        static char z[1 << 20];
        for (int i = 0; i < WAL >> 20; i++) if (write(w.fd, z, sizeof z) != sizeof z) die("fill");
    }
    fsync(w.fd);
    return w;
}
static void wal_append(wal *w, const char *b, size_t n) {
    if (w->mode && w->off + (off_t)n > WAL) {
        w->off = 0;
        if (w->mode == 1) { if (ftruncate(w->fd, 0) || posix_fallocate(w->fd, 0, WAL)) die("fallocate"); }
    }
    while (n) {
        ssize_t k = pwrite(w->fd, b, n, w->off);
        if (k < 0) die("pwrite");
        b += k; n -= (size_t)k; w->off += k;
    }
    if (fdatasync(w->fd)) die("fdatasync");
}
static int listen_on(uint16_t *port) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t l = sizeof a;
    if (bind(s, (void *)&a, l) || listen(s, 8) || getsockname(s, (void *)&a, &l)) die("listen");
    *port = ntohs(a.sin_port);
    return s;
}
static int dial(uint16_t port) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
    if (connect(s, (void *)&a, sizeof a)) die("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}
static int take(int ls) {
    int s = accept(ls, 0, 0), one = 1;
    if (s < 0) die("accept");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}
static int wr(int fd, const void *b, size_t n) {
    const char *p = b;
    while (n) { ssize_t k = write(fd, p, n); if (k <= 0) return -1; p += k; n -= (size_t)k; }
    return 0;
}
static int rd(int fd, void *b, size_t n) {
    char *p = b;
    while (n) { ssize_t k = read(fd, p, n); if (k <= 0) return -1; p += k; n -= (size_t)k; }
    return 0;
}
static pid_t child(void) {
    pid_t p = fork();
    if (p == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); signal(SIGPIPE, SIG_IGN); }
    return p;
}

static void do_fsync(const char *dir, double secs, int mode, const char *mname) {
    static char blk[4096] = "x";
    static hist h;
    wal w = wal_open(dir, "fsync.dat", mode);
    uint64_t s = now_ns(), e = s + (uint64_t)(secs * 1e9), t = s, n = 0;
    while (t < e) { uint64_t a = t; wal_append(&w, blk, sizeof blk); t = now_ns(); h_add(&h, t - a); n++; }
    printf("limit=fdatasync4k mode=%s rate_per_s=%.0f p50_us=%.0f p99_us=%.0f p999_us=%.0f\n", mname,
           (double)n / ((double)(t - s) / 1e9), h_pct_us(&h, .5), h_pct_us(&h, .99), h_pct_us(&h, .999));
}
static void do_ping(double secs, size_t bytes) {
    static char b[65536];
    static hist h;
    uint16_t port; int ls = listen_on(&port);
    pid_t p = child();
    if (p == 0) { int c = take(ls); while (!rd(c, b, bytes) && !wr(c, b, bytes)) {} _exit(0); }
    int c = dial(port);
    uint64_t s = now_ns(), e = s + (uint64_t)(secs * 1e9), t = s, n = 0;
    while (t < e) { uint64_t a = t; if (wr(c, b, bytes) || rd(c, b, bytes)) die("ping"); t = now_ns(); h_add(&h, t - a); n++; }
    close(c); waitpid(p, 0, 0);
    printf("limit=tcp_pingpong bytes=%zu rate_per_s=%.0f p50_us=%.1f p99_us=%.1f\n", bytes,
           (double)n / ((double)(t - s) / 1e9), h_pct_us(&h, .5), h_pct_us(&h, .99));
}

/* ---- replicated append ---- */
static size_t E = 200;
static int ready[2];                               /* a pipe: a byte from each process that can take entries */
static void follower(int ls, const char *dir, const char *name, int mode) {
    wal w = wal_open(dir, name, mode);
    wr(ready[1], "f", 1);
    char *buf = malloc(1 << 20);
    size_t have = 0; uint64_t bytes = 0;
    int c = take(ls);
    for (;;) {
        ssize_t k = read(c, buf + have, (1 << 20) - have);
        if (k <= 0) _exit(0);
        have += (size_t)k;
        size_t whole = have - have % E;
        if (!whole) continue;
        wal_append(&w, buf, whole);
        memmove(buf, buf + whole, have - whole); have -= whole;
        bytes += whole;
        uint64_t n = bytes / E;
        if (wr(c, &n, 8)) _exit(0);
    }
}
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cv = PTHREAD_COND_INITIALIZER;
static uint64_t synced[3], committed;
static char *pend, *spare; static size_t npend;
static int cli, ffd[2];
static wal lw;
static void advance(int who, uint64_t n) {           /* commit = median of the three */
    pthread_mutex_lock(&mu);
    synced[who] = n;
    uint64_t a = synced[0], b = synced[1], c = synced[2];
    uint64_t hi = a > b ? a : b, lo = a > b ? b : a;
    uint64_t med = c >= hi ? hi : c <= lo ? lo : c;
    if (med > committed) { committed = med; if (wr(cli, &med, 8)) _exit(0); }
    pthread_mutex_unlock(&mu);
}
static void *disk_thread(void *x) {
    (void)x; uint64_t bytes = 0;
    for (;;) {
        pthread_mutex_lock(&mu);
        while (!npend) pthread_cond_wait(&cv, &mu);
        char *b = pend; size_t n = npend;
        pend = spare; npend = 0; spare = b;
        pthread_mutex_unlock(&mu);
        wal_append(&lw, b, n);
        bytes += n;
        advance(0, bytes / E);
    }
    return 0;
}
static void *ack_thread(void *x) {
    long i = (long)x; uint64_t n;
    while (!rd(ffd[i], &n, 8)) advance((int)i + 1, n);
    return 0;
}
static void leader(int ls, uint16_t p1, uint16_t p2, const char *dir, int mode) {
    lw = wal_open(dir, "leader.wal", mode);
    ffd[0] = dial(p1); ffd[1] = dial(p2);
    wr(ready[1], "l", 1);
    pend = malloc(8 << 20); spare = malloc(8 << 20);
    cli = take(ls);
    pthread_t t;
    pthread_create(&t, 0, disk_thread, 0);
    pthread_create(&t, 0, ack_thread, (void *)0);
    pthread_create(&t, 0, ack_thread, (void *)1);
    char *buf = malloc(1 << 20); size_t have = 0;
    for (;;) {
        ssize_t k = read(cli, buf + have, (1 << 20) - have);
        if (k <= 0) _exit(0);
        have += (size_t)k;
        size_t whole = have - have % E;
        if (!whole) continue;
        if (wr(ffd[0], buf, whole) || wr(ffd[1], buf, whole)) _exit(0);
        pthread_mutex_lock(&mu);
        memcpy(pend + npend, buf, whole); npend += whole;
        pthread_cond_signal(&cv);
        pthread_mutex_unlock(&mu);
        memmove(buf, buf + whole, have - whole); have -= whole;
    }
}
static void do_repl(const char *dir, double warm, double secs, int N, int mode, const char *mname) {
    uint16_t pl, p1, p2;
    int l0 = listen_on(&pl), l1 = listen_on(&p1), l2 = listen_on(&p2);
    char said[3];
    if (pipe(ready)) die("pipe");
    pid_t f1 = child(); if (!f1) follower(l1, dir, "f1.wal", mode);
    pid_t f2 = child(); if (!f2) follower(l2, dir, "f2.wal", mode);
    pid_t ld = child(); if (!ld) leader(l0, p1, p2, dir, mode);
    close(l0); close(l1); close(l2);
    /* the listen sockets stay alive in the children; connect succeeds from the backlog */
    int c = dial(pl);
    static hist h;
    char *m = calloc((size_t)N, E);
    uint64_t *ts = calloc((size_t)N, sizeof *ts);      /* ring: entry i sent at ts[i % N] */
    uint64_t sent = 0, acked = 0, cnt = 0, batches = 0;
    if (rd(ready[0], said, sizeof said)) die("ready");
    uint64_t t = now_ns();
    b_init(warm, secs);
    for (int i = 0; i < N; i++) ts[sent++ % (uint64_t)N] = t;
    wr(c, m, (size_t)N * E);
    while (t < B_end) {
        uint64_t n[64];
        ssize_t k = read(c, n, sizeof n);
        if (k < 8) die("leader gone");
        if (k % 8) rd(c, (char *)n + k, (size_t)(8 - k % 8));
        uint64_t upto = n[(k + 7) / 8 - 1];
        t = now_ns();
        uint64_t d = upto - acked;
        for (; acked < upto; acked++) {
            if (t >= B_meas && t < B_end) { h_add(&h, t - ts[acked % (uint64_t)N]); cnt++; }
        }
        if (t >= B_meas) batches++;
        for (uint64_t i = 0; i < d; i++) ts[sent++ % (uint64_t)N] = t;
        wr(c, m, d * E);
    }
    double rate = (double)cnt / secs;
    printf("limit=replicated_append nodes=3 fsync=yes mode=%s entry_bytes=%zu conc=%d appends_per_s=%.0f lifecycles_per_s=%.0f "
           "p50_us=%.0f p99_us=%.0f acks_batch=%.1f\n", mname, E, N, rate, rate / 3, h_pct_us(&h, .5), h_pct_us(&h, .99),
           batches ? (double)cnt / (double)batches : 0);
    kill(ld, SIGKILL); kill(f1, SIGKILL); kill(f2, SIGKILL);
    while (wait(0) > 0) {}
}
int main(int ac, char **av) {
    signal(SIGPIPE, SIG_IGN);
    if (ac >= 5 && !strcmp(av[1], "fsync")) do_fsync(av[2], atof(av[3]), mode_of(av[4]), av[4]);
    else if (ac >= 3 && !strcmp(av[1], "ping")) do_ping(atof(av[2]), ac > 3 ? (size_t)atoi(av[3]) : 200);
    else if (ac >= 7 && !strcmp(av[1], "repl")) {
        if (ac > 7) E = (size_t)atoi(av[7]);
        do_repl(av[2], atof(av[3]), atof(av[4]), atoi(av[5]), mode_of(av[6]), av[6]);
    } else { fprintf(stderr, "usage: see the top of limit.c\n"); return 2; }
    return 0;
}
