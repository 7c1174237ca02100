/* SPDX-License-Identifier: Apache-2.0 */
/* flood [OPTIONS] ADDRESS PORT: see usage. Prints one JSON object of what the server did. */
#include "tests/support/flood.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/file.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TICK_MS        5
#define POSTS_OPEN_MAX 8000 /* at once; beyond it a server that never answers is told from one that is slow */
#define EVENTS         512

static const char usage[] =
    "usage: flood [OPTIONS] ADDRESS PORT\n"
    "  --idle N, --slow-header N, --slow-body N   connections to hold, opened anew "
    "when the server cuts them\n"
    "  --post FILE --rate R --total N             pkiMessages by POST, a connection "
    "each, R a second whatever happens\n"
    "  --work FILE       instead of --post: scep-load's messages, each until it has got its 200\n"
    "  --skip N          without the first N of them\n"
    "  --paths N         each of them at /scep/e0 to /scep/eN-1, after the other; default at /scep\n"
    "  --sources N       source addresses, 127.1.0.1 and on (default 100)\n"
    "  --seconds S       how long to hold (default 10)\n"
    "  --open-rate R     held connections opened a second, at most (default 2000)\n"
    "  --tls             HTTPS, whatever certificate\n";

static void post_read(const char *path, struct buf *ret)
{
    struct why why;
    if (file_read(path, 1 << 20, ret, &why) != OK)
        die("%s", why.text);
}

static void option_take(struct flood_options *options, int option, const char *value)
{
    switch (option) {
    case 'i':
        options->held[KIND_IDLE] = strtoul(value, NULL, 10);
        break;
    case 'h':
        options->held[KIND_HEADER] = strtoul(value, NULL, 10);
        break;
    case 'b':
        options->held[KIND_BODY] = strtoul(value, NULL, 10);
        break;
    case 'p':
        post_read(value, &options->post);
        break;
    case 'w':
        work_read(value, &options->work);
        break;
    case 'S':
        options->skip = strtoul(value, NULL, 10);
        break;
    case 'P':
        options->paths = strtoul(value, NULL, 10);
        break;
    case 'r':
        options->rate = strtod(value, NULL);
        break;
    case 'n':
        options->total = strtoul(value, NULL, 10);
        break;
    case 's':
        options->sources = strtoul(value, NULL, 10);
        break;
    case 't':
        options->seconds = atoi(value);
        break;
    case 'o':
        options->open_rate = atoi(value);
        break;
    case 'T':
        options->tls = true;
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void options_read(int argc, char **argv, struct flood_options *ret)
{
    static const struct option known[] = { { "idle", 1, NULL, 'i' },      { "slow-header", 1, NULL, 'h' },
                                           { "slow-body", 1, NULL, 'b' }, { "post", 1, NULL, 'p' },
                                           { "rate", 1, NULL, 'r' },      { "total", 1, NULL, 'n' },
                                           { "sources", 1, NULL, 's' },   { "seconds", 1, NULL, 't' },
                                           { "open-rate", 1, NULL, 'o' }, { "tls", 0, NULL, 'T' },
                                           { "work", 1, NULL, 'w' },      { "paths", 1, NULL, 'P' },
                                           { "skip", 1, NULL, 'S' },      { NULL, 0, NULL, 0 } };
    *ret = (struct flood_options){ .sources = 100, .seconds = 10, .open_rate = 2000 };
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        option_take(ret, option, optarg);
    bool posts = ret->post.len > 0 || ret->work.count > 0;
    if (argc - optind != 2 || ret->sources == 0 || posts != (ret->rate > 0) || posts != (ret->total > 0) ||
        inet_pton(AF_INET, argv[optind], &ret->to.sin_addr) != 1)
        option_take(ret, '?', NULL);
    ret->to.sin_family = AF_INET;
    ret->to.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
}

static void flood_begin(struct flood *flood)
{
    struct why why;
    size_t count = POSTS_OPEN_MAX;
    for (int kind = 0; kind < KIND_POST; kind++)
        count += flood->options.held[kind];
    if (descriptors_reserve(count + 64, "this flood", &why) != OK)
        die("%s", why.text);
    signal(SIGPIPE, SIG_IGN);
    posts_begin(flood);
    flood->epoll = epoll_create1(EPOLL_CLOEXEC);
    flood->line_count = count;
    flood->lines = xcalloc(count, sizeof(*flood->lines));
    flood->counts.latency_us = xcalloc(flood->options.total + 1, sizeof(uint32_t));
    if (flood->options.tls && !(flood->tls = SSL_CTX_new(TLS_client_method())))
        die("out of memory: a TLS context");
    size_t at = 0;
    for (int kind = 0; kind < KIND_POST; kind++) {
        for (size_t i = 0; i < flood->options.held[kind]; i++)
            flood->lines[at++] = (struct line){ .flood = flood, .kind = (enum kind)kind };
    }
    for (; at < count; at++) {
        flood->lines[at] = (struct line){ .flood = flood, .kind = KIND_POST, .next_free = flood->free_posts };
        flood->free_posts = &flood->lines[at];
    }
}

static void held_open(struct flood *flood, int64_t *next_us, int64_t now_us)
{
    const int64_t apart_us = 1000000 / flood->options.open_rate;
    for (size_t i = 0; i < flood->line_count && flood->lines[i].kind != KIND_POST; i++) {
        struct line *line = &flood->lines[i];
        if (line->phase != PHASE_FREE) {
            line_drip(line, now_us / 1000);
            continue;
        }
        if (*next_us > now_us)
            continue;
        *next_us = (*next_us + 100000 < now_us ? now_us - 100000 : *next_us) + apart_us;
        flood->counts.failed += !line_open(line);
    }
}

/* Open loop: what the schedule wants is sent, however many are still without an answer. */
static void posts_open(struct flood *flood, int64_t began_us, int64_t now_us)
{
    const struct flood_options *options = &flood->options;
    while (flood->posts_begun < options->total) {
        int64_t due_us = began_us + (int64_t)((double)flood->posts_begun * 1e6 / options->rate);
        if (due_us > now_us)
            return;
        flood->posts_begun++;
        struct line *line = flood->free_posts;
        if (!line || !post_next(flood, line)) {
            flood->counts.unsent++;
            continue;
        }
        line->due_us = due_us;
        if (line_open(line)) {
            flood->free_posts = line->next_free;
            flood->posts_open++;
        } else {
            flood->counts.unsent++;
            post_again(flood, line);
        }
    }
}

static bool is_over(const struct flood *flood, int64_t elapsed_us)
{
    const struct flood_options *options = &flood->options;
    if (options->total == 0)
        return elapsed_us > options->seconds * INT64_C(1000000);
    /* The last ones get as long as a device would wait. */
    bool all = flood->posts_begun == options->total && flood->posts_open == 0;
    return all || elapsed_us > (int64_t)((double)options->total * 1e6 / options->rate) + 30000000;
}

static void flood_run(struct flood *flood)
{
    struct epoll_event events[EVENTS];
    int64_t began_us = clock_mono_us(), now_us = began_us, next_us = began_us, swept_us = 0;
    flood->began_us = began_us;
    while (!is_over(flood, now_us - began_us)) {
        if (now_us - swept_us > 20000) {
            held_open(flood, &next_us, now_us);
            swept_us = now_us;
        }
        posts_open(flood, began_us, now_us);
        int count = epoll_wait(flood->epoll, events, EVENTS, TICK_MS);
        for (int i = 0; i < count; i++) {
            struct line *line = events[i].data.ptr;
            if (line->phase != PHASE_FREE)
                line_event(line, events[i].events);
        }
        now_us = clock_mono_us();
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

static double percentile_ms(const struct flood_counts *counts, double part)
{
    if (counts->latency_count == 0)
        return 0;
    return counts->latency_us[(size_t)((double)(counts->latency_count - 1) * part)] / 1000.0;
}

static void flood_report(struct flood *flood)
{
    struct flood_counts *counts = &flood->counts;
    qsort(counts->latency_us, counts->latency_count, sizeof(uint32_t), by_size);
    printf("{\"opened\":%zu,\"failed\":%zu,\"held_most\":%zu,\"held_now\":%zu,\"closed\":%zu,\"unsent\":%zu,"
           "\"cut\":%zu,"
           "\"unanswered\":%zu,\"retry_after\":%zu,\"goodput\":%.1f,",
           counts->opened, counts->failed, counts->held_most, flood->held_now, counts->closed, counts->unsent,
           counts->cut, flood->posts_open, counts->with_retry_after,
           counts->last_us ? (double)counts->status[200] * 1e6 / (double)counts->last_us : 0.0);
    for (int status = 100; status < 600; status++) {
        if (counts->status[status])
            printf("\"status_%d\":%zu,", status, counts->status[status]);
    }
    printf("\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", percentile_ms(counts, 0.5),
           percentile_ms(counts, 0.99), percentile_ms(counts, 1));
}

int main(int argc, char **argv)
{
    static struct flood flood;
    options_read(argc, argv, &flood.options);
    flood_begin(&flood);
    flood_run(&flood);
    flood_report(&flood);
    for (size_t i = 0; i < flood.line_count; i++) {
        line_close(&flood.lines[i]);
        buf_free(&flood.lines[i].request);
    }
    SSL_CTX_free(flood.tls);
    close(flood.epoll);
    buf_free(&flood.options.post);
    work_free(&flood.options.work);
    free(flood.ring);
    free(flood.counts.latency_us);
    free(flood.lines);
    return 0;
}
