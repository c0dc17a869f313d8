/* Closed-loop job-board load on a RabbitMQ quorum queue; one connection (one thread) per worker, librabbitmq.
 *   post    = basic.publish (persistent, mandatory) + publisher confirm
 *   claim   = basic.get without auto-ack (whichever job is next); asked again while the queue says empty
 *   consume = basic.ack -- AMQP gives no answer to it: its "latency" is only the time to write it to the socket
 * usage: rabbitmq PORT CONC WARM SECS */
#include "bench.h"
#include <pthread.h>
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <signal.h>
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int port, conc;
static volatile int ready; static volatile int go;
static void note(int op, uint64_t t0) { uint64_t t = now_ns(); pthread_mutex_lock(&mu); b_ack(op, t0, t); pthread_mutex_unlock(&mu); }
static void err(const char *what) { pthread_mutex_lock(&mu); B_errors++; if (B_errors < 5) fprintf(stderr, "rabbitmq: %s\n", what); pthread_mutex_unlock(&mu); }

static amqp_connection_state_t dial(int declare) {
    amqp_connection_state_t c = amqp_new_connection();
    amqp_socket_t *s = amqp_tcp_socket_new(c);
    struct timeval tv = { 20, 0 };
    if (amqp_socket_open_noblock(s, "127.0.0.1", port, &tv)) goto bad;
    amqp_set_rpc_timeout(c, &tv);
    if (amqp_login(c, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type != AMQP_RESPONSE_NORMAL) goto bad;
    amqp_channel_open(c, 1);
    if (amqp_get_rpc_reply(c).reply_type != AMQP_RESPONSE_NORMAL) goto bad;
    if (declare) {
        amqp_table_entry_t e = { .key = amqp_cstring_bytes("x-queue-type"), .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum") } };
        amqp_table_t t = { 1, &e };
        amqp_queue_declare(c, 1, amqp_cstring_bytes("jobs"), 0, 1, 0, 0, t);
        if (amqp_get_rpc_reply(c).reply_type != AMQP_RESPONSE_NORMAL) { err("declare"); goto bad; }
    }
    amqp_confirm_select(c, 1);
    if (amqp_get_rpc_reply(c).reply_type != AMQP_RESPONSE_NORMAL) goto bad;
    return c;
bad:
    amqp_destroy_connection(c);
    return 0;
}
static int publish(amqp_connection_state_t c) {
    char u[37], job[600];
    pthread_mutex_lock(&mu); b_uuid(u); pthread_mutex_unlock(&mu);
    int n = b_job(job, sizeof job, u);
    amqp_basic_properties_t p = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2 };
    if (amqp_basic_publish(c, 1, amqp_empty_bytes, amqp_cstring_bytes("jobs"), 0, 0, &p, (amqp_bytes_t){ (size_t)n, job })) return -1;
    amqp_frame_t f;
    struct timeval tv = { 20, 0 };
    for (;;) {
        amqp_maybe_release_buffers(c);
        if (amqp_simple_wait_frame_noblock(c, &f, &tv)) return -1;
        if (f.frame_type != AMQP_FRAME_METHOD) continue;
        if (f.payload.method.id == AMQP_BASIC_ACK_METHOD) return 0;
        return -1;                                    /* nack, channel close, connection close */
    }
}
static int get(amqp_connection_state_t c, uint64_t *tag) {
    for (int k = 0; k < 100000; k++) {
        amqp_maybe_release_buffers(c);
        amqp_rpc_reply_t r = amqp_basic_get(c, 1, amqp_cstring_bytes("jobs"), 0);
        if (r.reply_type != AMQP_RESPONSE_NORMAL) return -1;
        if (r.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) { pthread_mutex_lock(&mu); B_errors++; pthread_mutex_unlock(&mu); if (now_ns() > B_end) return -1; usleep(500); continue; }
        *tag = ((amqp_basic_get_ok_t *)r.reply.decoded)->delivery_tag;
        amqp_message_t m;
        if (amqp_read_message(c, 1, &m, 0).reply_type != AMQP_RESPONSE_NORMAL) return -1;
        amqp_destroy_message(&m);
        return 0;
    }
    return -1;
}
static void *run(void *x) {
    (void)x;
    amqp_connection_state_t c = dial(0);
    if (!c) err("connect");
    __sync_fetch_and_add(&ready, 1);
    while (!go) usleep(1000);
    while (now_ns() < B_end) {
        if (!c) {
            usleep(100000);
            c = dial(0);
            if (!c) continue;
        }
        uint64_t t, tag;
        t = now_ns();
        if (publish(c)) goto lost;
        note(OP_POST, t); t = now_ns();
        if (get(c, &tag)) goto lost;
        note(OP_CLAIM, t); t = now_ns();
        if (amqp_basic_ack(c, 1, tag, 0)) goto lost;
        note(OP_CONSUME, t);
        continue;
    lost:
        if (now_ns() >= B_end) break;
        err("operation failed"); amqp_destroy_connection(c); c = 0;
    }
    return 0;
}
int main(int ac, char **av) {
    if (ac < 5) return 2;
    signal(SIGPIPE, SIG_IGN);
    port = atoi(av[1]);
    conc = atoi(av[2]);
    amqp_connection_state_t d = 0;
    for (int i = 0; i < 20 && !(d = dial(1)); i++) usleep(500000);
    if (!d) return 1;
    B_end = ~0ull;
    pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstacksize(&a, 256 << 10);
    pthread_t *t = calloc((size_t)conc, sizeof *t);
    for (int i = 0; i < conc; i++) pthread_create(&t[i], &a, run, 0);
    while (ready < conc) usleep(1000);
    b_init(atof(av[3]), atof(av[4])); go = 1;
    while (now_ns() < B_end + 500000000ull) usleep(20000);
    pthread_mutex_lock(&mu); b_print();
    _exit(0);
}
