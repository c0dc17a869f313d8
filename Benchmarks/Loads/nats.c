/* Closed-loop job-board load on NATS JetStream, spoken as plain text.
 *   post    = PUB jobs.new with a reply inbox, wait for the PubAck
 *   claim   = $JS.API.CONSUMER.MSG.NEXT (batch 1) on a durable pull consumer of a work-queue stream
 *   consume = "+ACK" to the message's ack subject with a reply inbox (AckSync)
 * usage: nats setup PORT REPLICAS     create the stream JOBS and the consumer W; prints the leaders
 *        nats PORT CONC WARM SECS [CONNS] */
#include "net.h"
typedef struct { conn *c; int st, id; uint64_t t0; char ack[256]; } worker;
static worker *W; static int conc;
static char done_reply[65536]; static int got_reply;

static void hello(conn *c, int from, int step) {
    net_putf(c, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1,\"lang\":\"c\",\"version\":\"0\",\"name\":\"bench\"}\r\n");
    for (int w = from; w < conc; w += step) net_putf(c, "SUB _INBOX.b%d.%d %d\r\n", (int)getpid(), w, w + 1);
}
static void post(worker *w) {
    char u[37], job[600]; b_uuid(u); int n = b_job(job, sizeof job, u);
    w->st = OP_POST; w->t0 = now_ns();
    net_putf(w->c, "PUB jobs.new _INBOX.b%d.%d %d\r\n", (int)getpid(), w->id, n);
    net_put(w->c, job, (size_t)n); net_put(w->c, "\r\n", 2);
}
static void claim(worker *w) {
    static const char req[] = "{\"batch\":1,\"expires\":3000000000}";
    net_putf(w->c, "PUB $JS.API.CONSUMER.MSG.NEXT.JOBS.W _INBOX.b%d.%d %zu\r\n%s\r\n", (int)getpid(), w->id, sizeof req - 1, req);
}
static void retry(worker *w) {                     /* failure: start over with a new job after a moment */
    B_errors++;
    w->st = 9; w->t0 = now_ns();
}
static void message(int sid, const char *reply, const char *hdr, const char *b, size_t n) {
    if (!conc) { if (n < sizeof done_reply) { memcpy(done_reply, b, n); done_reply[n] = 0; } got_reply = 1; return; }
    worker *w = &W[sid - 1];
    uint64_t t = now_ns();
    if (hdr) {                                     /* "NATS/1.0 503/404/408/409 ..." status */
        if (w->st == OP_CLAIM && (strstr(hdr, " 408") || strstr(hdr, " 404"))) { B_errors++; claim(w); return; }
        static int said;
        if (said++ < 3) fprintf(stderr, "nats: %.60s\n", hdr);
        if (w->st != 9) retry(w);
        return;
    }
    switch (w->st) {
    case OP_POST:
        if (!memmem(b, n, "\"seq\"", 5)) { fprintf(stderr, "nats post: %.*s\n", (int)n, b); retry(w); return; }
        b_ack(OP_POST, w->t0, t); w->st = OP_CLAIM; w->t0 = t; claim(w); return;
    case OP_CLAIM:
        if (!reply) return;
        b_ack(OP_CLAIM, w->t0, t); w->st = OP_CONSUME; w->t0 = t;
        snprintf(w->ack, sizeof w->ack, "%s", reply);
        net_putf(w->c, "PUB %s _INBOX.b%d.%d 4\r\n+ACK\r\n", w->ack, (int)getpid(), w->id);
        return;
    case OP_CONSUME:
        if (reply && !strncmp(reply, "$JS.ACK", 7)) return;   /* a late delivery */
        b_ack(OP_CONSUME, w->t0, t);
        if (t < B_end) post(w); else w->st = 8;
        return;
    default: return;
    }
}
static size_t data(conn *c, char *b, size_t n) {
    size_t u = 0;
    for (;;) {
        char *e = find_crlf(b + u, n - u);
        if (!e) return u;
        char *l = b + u; size_t ll = (size_t)(e - l) + 2;
        if (!strncmp(l, "MSG ", 4) || !strncmp(l, "HMSG ", 5)) {
            int h = l[0] == 'H';
            char line[1024]; size_t k = (size_t)(e - l); if (k >= sizeof line) k = sizeof line - 1;
            memcpy(line, l, k); line[k] = 0;
            char *f[8]; int nf = 0;
            for (char *p = strtok(line, " "); p && nf < 8; p = strtok(0, " ")) f[nf++] = p;
            /* MSG subj sid [reply] n | HMSG subj sid [reply] hn n */
            size_t len = (size_t)atol(f[nf - 1]), hl = h ? (size_t)atol(f[nf - 2]) : 0;
            if (n - u < ll + len + 2) return u;
            const char *reply = nf == (h ? 6 : 5) ? f[3] : 0;
            char hb[200]; const char *hs = 0;
            if (h && len == hl) { size_t q = hl < 199 ? hl : 199; memcpy(hb, l + ll, q); hb[q] = 0; hs = hb; }
            message(atoi(f[2]), reply, hs, l + ll + hl, len - hl);
            ll += len + 2;
        } else if (!strncmp(l, "PING", 4)) net_put(c, "PONG\r\n", 6);
        else if (!strncmp(l, "-ERR", 4)) fprintf(stderr, "nats: %.*s\n", (int)(e - l), l);
        u += ll;
    }
}
static void closed(conn *c) {
    (void)c;
    fprintf(stderr, "nats: connection lost\n"); exit(1);
}
static int ask(conn *c, const char *subj, const char *body) {
    got_reply = 0;
    net_putf(c, "PUB %s _INBOX.setup %zu\r\n%s\r\n", subj, strlen(body), body);
    uint64_t t = now_ns();
    while (!got_reply && now_ns() - t < 5000000000ull) net_turn(50);
    return got_reply;
}
static void leader_of(const char *what) {
    char *p = strstr(done_reply, "\"leader\":\"");
    char n[64] = "?"; if (p) sscanf(p + 10, "%63[^\"]", n);
    printf("%s=%s ", what, n);
}
int main(int ac, char **av) {
    on_data = data; on_close = closed;
    if (ac >= 4 && !strcmp(av[1], "setup")) {
        conn *c = net_open(atoi(av[2]));
        if (!c) return 1;
        net_putf(c, "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB _INBOX.setup 1\r\n");
        char b[512];
        snprintf(b, sizeof b, "{\"name\":\"JOBS\",\"subjects\":[\"jobs.*\"],\"retention\":\"workqueue\",\"storage\":\"file\",\"num_replicas\":%s,\"discard\":\"old\"}", av[3]);
        for (int i = 0; i < 40; i++) { ask(c, "$JS.API.STREAM.CREATE.JOBS", b); if (strstr(done_reply, "\"created\"")) break; usleep(250000); }
        if (!strstr(done_reply, "\"created\"")) { fprintf(stderr, "stream: %s\n", done_reply); return 1; }
        ask(c, "$JS.API.CONSUMER.DURABLE.CREATE.JOBS.W",
            "{\"stream_name\":\"JOBS\",\"config\":{\"durable_name\":\"W\",\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,"
            "\"max_ack_pending\":100000,\"max_waiting\":4096,\"deliver_policy\":\"all\",\"replay_policy\":\"instant\"}}");
        if (!strstr(done_reply, "\"created\"")) { fprintf(stderr, "consumer: %s\n", done_reply); return 1; }
        usleep(500000);
        ask(c, "$JS.API.STREAM.INFO.JOBS", ""); leader_of("stream_leader");
        ask(c, "$JS.API.CONSUMER.INFO.JOBS.W", ""); leader_of("consumer_leader");
        printf("\n");
        return 0;
    }
    if (ac < 5) return 2;
    conc = atoi(av[2]);
    int nc = ac > 5 ? atoi(av[5]) : 1;
    if (nc > conc) nc = conc;
    W = calloc((size_t)conc, sizeof *W);
    conn **C = calloc((size_t)nc, sizeof *C);
    for (int i = 0; i < nc; i++) {
        if (!(C[i] = net_open(atoi(av[1])))) { perror("connect"); return 1; }
        hello(C[i], i, nc);
    }
    net_turn(50); usleep(200000); net_turn(50);
    b_init(atof(av[3]), atof(av[4]));
    for (int i = 0; i < conc; i++) { W[i].id = i; W[i].c = C[i % nc]; post(&W[i]); }
    while (now_ns() < B_end + 300000000ull) {
        net_turn(50);
        uint64_t t = now_ns();
        for (int i = 0; i < conc; i++) {
            worker *w = &W[i];
            if (t >= B_end) continue;
            if (w->st == 9 && t - w->t0 > 5000000) post(w);
            else if (w->st < 3 && t - w->t0 > 8000000000ull) { fprintf(stderr, "nats: worker %d stuck in op %d\n", i, w->st); retry(w); }
        }
    }
    b_print();
    return 0;
}
