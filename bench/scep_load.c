/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load: many SCEP clients in one process, for benchmarks, crash and load tests. Messages are made beforehand and
 * answers are checked afterwards, so that while it runs it costs next to nothing. */
#include "bench/scep_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "scep-load prepare --ca-dir DIR --out FILE -n N [options]\n"
    "  makes N PKCSReq messages, each with an RSA-2048 key and a name of its own\n"
    "  --ca-dir DIR           has getcacert.der, as GetCACert gave it (SignedData, or one certificate)\n"
    "  --challenge TEXT       the same for all; --challenges FILE: one a line, N of them\n"
    "  --subject-prefix TEXT  subjects are CN=TEXT-0000000 and on (default load)\n"
    "  --key-pool K           K primes, n = p q of any two (default: as many as N needs): keys for load "
    "only\n"
    "scep-load run FILE --to HOST:PORT --path PATH --out ANSWERS [options]\n"
    "  sends them by POST, records each answer, prints one line of JSON\n"
    "  -c N                   so many clients at once (default 1)\n"
    "  --connections new|keep a connection a message (default), or kept alive\n"
    "  --first I, --last I    only messages I to I (from 0; default all), so that runs can share one FILE\n"
    "  --duration S           begins no further message after S seconds\n"
    "  --rate R               open loop: message i is due at i/R seconds, and its latency counts from then\n"
    "  --together             all clients connect, then all send at the same instant\n"
    "  --retry S              sends the same bytes again after a lost connection or 5xx, until S seconds "
    "have passed\n"
    "  --timeout S            an answer that takes longer is a lost connection (default 60)\n"
    "  --sources K            from addresses 127.0.0.1 to 127.0.0.K, for servers that count per address\n"
    "scep-load check FILE ANSWERS... [--ca PEM] [--certs-out FILE]\n"
    "  opens every answer of status 200; prints one line of JSON; ends with 1 when an answer is wrong\n"
    "  --ca PEM               the issuing CA's certificate (all in the file; default: those of GetCACert)\n"
    "  --certs-out FILE       one line a message: number, serial, certificate in base64\n";

void usage(const char *problem)
{
    fprintf(stderr, "scep-load: %s\n%s", problem, help);
    exit(2);
}

double option_number(const char *name, const char *text, double least)
{
    char *end, problem[128];
    double number = strtod(text, &end);
    if (end != text && *end == '\0' && number >= least)
        return number;
    snprintf(problem, sizeof(problem), "--%.32s %.32s: not a number from %g", name, text, least);
    usage(problem);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = { { "prepare", prepare_main }, { "run", run_main }, { "check", check_main } };
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    usage(argc > 1 ? "unknown command" : "prepare, run or check?");
}
