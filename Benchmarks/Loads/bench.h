/* Shared by the C load generators: clock, log-linear histogram, phases, output.
 * Single-threaded use only unless the caller locks. */
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* log-linear histogram of nanoseconds: 64 sub-buckets per power of two (<1.6% error) */
#define H_SUB 64
#define H_SUBBITS 6
#define H_N (64 * H_SUB)
typedef struct { uint64_t n, b[H_N]; } hist;

static inline int h_idx(uint64_t v) {
    if (v < H_SUB) return (int)v;
    int e = 63 - __builtin_clzll(v);              /* e >= 6 */
    int sub = (int)((v >> (e - H_SUBBITS)) & (H_SUB - 1));
    return (e - H_SUBBITS + 1) * H_SUB + sub;
}
static inline uint64_t h_val(int i) {
    if (i < H_SUB) return (uint64_t)i;
    int e = i / H_SUB + H_SUBBITS - 1, sub = i % H_SUB;
    return ((uint64_t)(H_SUB + sub)) << (e - H_SUBBITS);
}
static inline void h_add(hist *h, uint64_t v) { h->b[h_idx(v)]++; h->n++; }
static inline double h_pct_us(const hist *h, double p) {
    if (!h->n) return 0;
    uint64_t want = (uint64_t)(p * (double)h->n), c = 0;
    if (want >= h->n) want = h->n - 1;
    for (int i = 0; i < H_N; i++) { c += h->b[i]; if (c > want) return (double)h_val(i) / 1000.0; }
    return 0;
}

enum { OP_POST = 0, OP_CLAIM = 1, OP_CONSUME = 2 };
static hist B_h[3];
static uint64_t B_start, B_meas, B_end;      /* run start, start of measuring, end */
static uint64_t B_life, B_life_total;        /* measured / all lifecycles */
static uint64_t B_errors;
static uint64_t B_last_ack, B_maxgap;

static inline void b_init(double warm_s, double secs) {
    B_start = now_ns();
    B_meas = B_start + (uint64_t)(warm_s * 1e9);
    B_end = B_meas + (uint64_t)(secs * 1e9);
}
/* an acknowledged op: kind, when it was sent, when the ack was seen */
static inline void b_ack(int op, uint64_t t0, uint64_t t1) {
    if (t1 >= B_meas && t1 < B_end) {
        h_add(&B_h[op], t1 - t0);
        if (op == OP_CONSUME) B_life++;
        if (B_last_ack && t1 > B_last_ack && t1 - B_last_ack > B_maxgap) B_maxgap = t1 - B_last_ack;
        if (t1 > B_last_ack) B_last_ack = t1;
    }
    if (op == OP_CONSUME) B_life_total++;
}
static inline void b_print(void) {
    double s = (double)(B_end - B_meas) / 1e9;
    /* a system that never came back: count the gap up to the end of the run */
    uint64_t last = B_last_ack ? B_last_ack : B_meas;
    if (B_end > last && B_end - last > B_maxgap) B_maxgap = B_end - last;
    printf("lifecycles_per_s=%.0f post_p50_us=%.0f post_p99_us=%.0f claim_p50_us=%.0f claim_p99_us=%.0f "
           "consume_p50_us=%.0f consume_p99_us=%.0f total=%llu errors=%llu maxgap_ms=%.0f\n",
           (double)B_life / s, h_pct_us(&B_h[0], .5), h_pct_us(&B_h[0], .99), h_pct_us(&B_h[1], .5),
           h_pct_us(&B_h[1], .99), h_pct_us(&B_h[2], .5), h_pct_us(&B_h[2], .99),
           (unsigned long long)B_life_total, (unsigned long long)B_errors, (double)B_maxgap / 1e6);
    fflush(stdout);
}

/* UUID v4-shaped text from xorshift; fine for a load generator */
static uint64_t B_rng;
static inline uint64_t b_rand(void) {
    if (!B_rng) B_rng = now_ns() ^ ((uint64_t)getpid() << 32) ^ 0x9E3779B97F4A7C15ull;
    B_rng ^= B_rng << 13; B_rng ^= B_rng >> 7; B_rng ^= B_rng << 17;
    return B_rng;
}
static inline void b_uuid(char out[37]) {
    uint64_t a = b_rand(), b = b_rand();
    static const char *x = "0123456789abcdef";
    int o = 0;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) out[o++] = '-';
        uint64_t *w = i < 16 ? &a : &b;
        out[o++] = i == 12 ? '4' : x[*w & 15];
        *w >>= 4;
    }
    out[36] = 0;
}
/* the job: id, name and a JSON details payload of about 200 bytes */
#define B_DETAILS "{\"flow\":\"resize-volume\",\"store\":{\"volume_id\":\"3f6e2a1c-55c1-4b6e-9f0e-6f2d1f0c9a77\"," \
    "\"size_gb\":128,\"tenant\":\"acme-prod\",\"retries\":3},\"book\":\"8c1f7f0a-0b7d-4a52-a6b3-1f6b2f9d4c10\",\"p\":1}"
static inline int b_job(char *out, size_t cap, const char *uuid) {
    return snprintf(out, cap, "{\"uuid\":\"%s\",\"name\":\"job-resize\",\"details\":" B_DETAILS "}", uuid);
}
#endif
