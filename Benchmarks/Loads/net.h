/* A minimal single-threaded epoll loop for the text-protocol clients. Output written by the callbacks in one
 * wake-up is coalesced into one write per connection. */
#ifndef NET_H
#define NET_H
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>

typedef struct conn {
    int fd, dirty, idx;
    char *in; size_t inl, inc;
    char *out; size_t outl, outc;
} conn;
static int N_ep = -1;
static conn *N_dirty[4096]; static int N_nd;
static int N_n;
/* consume what can be consumed of c->in, return the number of bytes used */
static size_t (*on_data)(conn *c, char *b, size_t n);
static void (*on_close)(conn *c);

static int net_dial(int port) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    if (connect(s, (void *)&a, sizeof a)) { close(s); return -1; }
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(s, F_SETFL, O_NONBLOCK);
    return s;
}
static void net_watch(conn *c) {
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    epoll_ctl(N_ep, EPOLL_CTL_ADD, c->fd, &e);
}
static conn *net_open(int port) {
    if (N_ep < 0) { N_ep = epoll_create1(0); signal(SIGPIPE, SIG_IGN); }
    int fd = net_dial(port);
    if (fd < 0) return 0;
    conn *c = calloc(1, sizeof *c);
    c->fd = fd; c->inc = c->outc = 1 << 16;
    c->in = malloc(c->inc); c->out = malloc(c->outc);
    c->idx = N_n++;
    net_watch(c);
    return c;
}
static void net_drop(conn *c) { if (c->fd >= 0) close(c->fd); c->fd = -1; c->inl = c->outl = 0; }
static void net_put(conn *c, const void *b, size_t n) {
    if (c->fd < 0) return;
    while (c->outl + n > c->outc) c->out = realloc(c->out, c->outc *= 2);
    memcpy(c->out + c->outl, b, n); c->outl += n;
    if (!c->dirty) { c->dirty = 1; N_dirty[N_nd++] = c; }
}
static void net_putf(conn *c, const char *f, ...) __attribute__((format(printf, 2, 3)));
static void net_putf(conn *c, const char *f, ...) {
    char b[2048]; va_list a; va_start(a, f); int n = vsnprintf(b, sizeof b, f, a); va_end(a);
    net_put(c, b, (size_t)n);
}
static void net_flush(void) {
    for (int i = 0; i < N_nd; i++) {
        conn *c = N_dirty[i]; size_t o = 0;
        while (c->fd >= 0 && o < c->outl) {
            ssize_t k = write(c->fd, c->out + o, c->outl - o);
            if (k > 0) o += (size_t)k;
            else if (errno == EAGAIN) { struct timespec t = {0, 50000}; nanosleep(&t, 0); }
            else break;
        }
        c->outl = 0; c->dirty = 0;
    }
    N_nd = 0;
}
/* one turn; returns after at most ms */
static void net_turn(int ms) {
    struct epoll_event ev[256];
    net_flush();
    int n = epoll_wait(N_ep, ev, 256, ms);
    for (int i = 0; i < n; i++) {
        conn *c = ev[i].data.ptr;
        if (c->fd < 0) continue;
        if (c->inc - c->inl < 16384) c->in = realloc(c->in, c->inc *= 2);
        ssize_t k = read(c->fd, c->in + c->inl, c->inc - c->inl);
        if (k == 0 || (k < 0 && errno != EAGAIN && errno != EINTR)) { net_drop(c); if (on_close) on_close(c); continue; }
        if (k < 0) continue;
        c->inl += (size_t)k;
        size_t used = on_data(c, c->in, c->inl);
        if (c->fd >= 0 && used) { memmove(c->in, c->in + used, c->inl - used); c->inl -= used; }
    }
    net_flush();
}
static char *find_crlf(char *b, size_t n) {
    char *p = memchr(b, '\r', n);
    return p && (size_t)(p - b) + 1 < n ? p : 0;
}
#endif
