/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load run: its options and its line of JSON. */
#include "bench/run.h"

#include "base/auto.h"
#include "bench/records.h"
#include "bench/scep_load.h"
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>

#define SECOND_US   1000000
#define SOURCES_MAX 250

static void resolve(struct run *run, const char *to)
{
    const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    AUTO_STR host = xstrdup(to);
    char *port = strrchr(host, ':');
    if (!port)
        usage("--to is HOST:PORT");
    *port++ = '\0';
    if (getaddrinfo(host, port, &hints, &found) != 0)
        usage("--to: no such host or port");
    memcpy(&run->to, found->ai_addr, sizeof(run->to));
    freeaddrinfo(found);
    run->host = to;
}

struct texts {
    const char *to, *out, *connections;
};

static void take_option(struct run *run, struct texts *texts, int option, const char *name)
{
    if (option == 'a')
        run->together = true;
    else if (option == 't')
        texts->to = optarg;
    else if (option == 'p')
        run->path = optarg;
    else if (option == 'o')
        texts->out = optarg;
    else if (option == 'k')
        texts->connections = optarg;
    else if (option == 'c')
        run->clients = (size_t)option_number("c", optarg, 1);
    else if (option == 'f')
        run->first = (size_t)option_number(name, optarg, 0);
    else if (option == 'l')
        run->last = (size_t)option_number(name, optarg, 0) + 1;
    else if (option == 'd')
        run->duration_us = (int64_t)(option_number(name, optarg, 0.001) * SECOND_US);
    else if (option == 'r')
        run->rate = option_number(name, optarg, 0.001);
    else if (option == 'y')
        run->retry_us = (int64_t)(option_number(name, optarg, 0) * SECOND_US);
    else if (option == 'm')
        run->timeout_us = (int64_t)(option_number(name, optarg, 0.001) * SECOND_US);
    else if (option == 's')
        run->sources = (size_t)option_number(name, optarg, 1);
    else
        usage("unknown option");
}

static void read_options(struct run *run, struct texts *texts, int argc, char **argv)
{
    static const struct option names[] = { { "to", 1, NULL, 't' },       { "path", 1, NULL, 'p' },
                                           { "out", 1, NULL, 'o' },      { "connections", 1, NULL, 'k' },
                                           { "first", 1, NULL, 'f' },    { "last", 1, NULL, 'l' },
                                           { "duration", 1, NULL, 'd' }, { "rate", 1, NULL, 'r' },
                                           { "together", 0, NULL, 'a' }, { "retry", 1, NULL, 'y' },
                                           { "timeout", 1, NULL, 'm' },  { "sources", 1, NULL, 's' },
                                           { NULL, 0, NULL, 0 } };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "c:", names, &index)) != -1)
        take_option(run, texts, option, names[index].name);
    if (optind + 1 != argc || !texts->to || !texts->out || !run->path)
        usage("run needs FILE, --to, --path and --out");
    run->keep = strcmp(texts->connections, "keep") == 0;
    if (!run->keep && strcmp(texts->connections, "new") != 0)
        usage("--connections is new or keep");
    if (run->sources > SOURCES_MAX)
        usage("--sources: at most 250");
    resolve(run, texts->to);
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile_ms(const struct outcome *outcome, double part)
{
    if (!outcome->latencies)
        return 0;
    size_t at = (size_t)((double)(outcome->latencies - 1) * part + 0.5);
    return outcome->latency_us[at] / 1000.0;
}

static void print_outcome(struct outcome *outcome)
{
    double seconds = (double)outcome->elapsed_us / SECOND_US;
    if (outcome->latencies)
        qsort(outcome->latency_us, outcome->latencies, sizeof(uint32_t), by_size);
    printf("{\"sent\": %zu, \"answered\": %zu, \"retries\": %zu, \"reconnects\": %zu, \"next\": %zu, "
           "\"seconds\": %.6f, \"rate\": %.2f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"statuses\": {",
           outcome->sent, outcome->answered, outcome->retries, outcome->reconnects, outcome->next, seconds,
           seconds > 0 ? (double)outcome->answered / seconds : 0, percentile_ms(outcome, 0.5),
           percentile_ms(outcome, 0.99), percentile_ms(outcome, 1));
    for (size_t i = 0; i < STATUSES_MAX && outcome->statuses[i].count; i++)
        printf("%s\"%d\": %zu", i ? ", " : "", outcome->statuses[i].status, outcome->statuses[i].count);
    printf("}}\n");
}

int run_main(int argc, char **argv)
{
    struct run run = { .clients = 1, .sources = 1, .last = SIZE_MAX, .timeout_us = 60 * (int64_t)SECOND_US };
    struct texts texts = { .connections = "new" };
    struct work work;
    struct outcome outcome = { 0 };
    read_options(&run, &texts, argc, argv);
    work_read(argv[optind], &work);
    run.work = &work;
    if (run.last > work.count)
        run.last = work.count;
    run.answers = records_create(texts.out);
    run_clients(&run, &outcome);
    records_close(run.answers, texts.out);
    print_outcome(&outcome);
    free(outcome.latency_us);
    work_free(&work);
    return 0;
}
