/* SPDX-License-Identifier: Apache-2.0 */
/* chancery: finds the command's row, runs it, and says what went wrong with rule, remedy and exit status. */
#include "cli/command.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/secret.h"
#include <getopt.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#define DEFAULT_CONFIG "/etc/chancery/chancery.conf"

static int usage(FILE *to, const char *noun, int status)
{
    fputs("usage: chancery [--config FILE | --dir DIR] [--json] COMMAND\n\n", to);
    for (const struct command *const *at = commands; *at; at++) {
        const struct command *c = *at;
        if (noun && strcmp(noun, c->noun) != 0)
            continue;
        fprintf(to, "  %s%s%s %s\n      %s\n", c->noun, *c->verb ? " " : "", c->verb, c->args, c->help);
    }
    fprintf(to,
            "\nThe configuration is %s unless --config or --dir (DIR/etc/chancery.conf) says otherwise.\n"
            "Exit status: 0 done, 1 refused, 2 usage, 3 not found, 4 cannot reach, 5 partly done.\n",
            DEFAULT_CONFIG);
    return status;
}

static bool verb_is(const struct command *command, const char *verb)
{
    if (!*command->verb)
        return true;
    if (command->dashed && verb && *verb == '-')
        return strcasecmp(command->verb, verb + 1) == 0;
    return verb && strcmp(command->verb, verb) == 0;
}

static const struct command *command_find(const char *noun, const char *verb)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (strcmp((*at)->noun, noun) == 0 && verb_is(*at, verb))
            return *at;
    }
    return NULL;
}

static int report(const struct cli *cli, enum err err, const struct why *why)
{
    const struct err_row *row = err_row(err);
    char clean[1024];
    log_escape(why->text, strlen(why->text), clean, sizeof(clean));
    fprintf(stderr, "chancery %s: %s%s%s\n", cli->command_line, row->text, *clean ? ": " : "", clean);
    const char *remedy = why->remedy ? why->remedy : row->remedy;
    if (*remedy)
        fprintf(stderr, "  remedy: %s\n", remedy);
    return row->exit_status ? row->exit_status : 1;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct command *command = command_find(argv[0], argc > 1 ? argv[1] : NULL);
    if (!command)
        return usage(stderr, argv[0], 2);
    int skip = *command->verb ? 1 : 0;
    AUTO_STR command_line = xasprintf("%s%s%s", command->noun, skip ? " " : "", command->verb);
    cli->command_line = command_line;
    struct why why = { 0 };
    optind = 0; /* the command reads its own options */
    opterr = 0;
    enum err err = command->run(cli, argc - skip, argv + skip, &why);
    /* What was lost when a buffer was full is no error of the last flush. */
    bool lost = fflush(stdout) != 0 || (ferror(stdout) && !FAULT(output_lost));
    if (err == OK && lost)
        err = fail(&why, ERR_IO, "cannot write to standard output");
    int status = err == OK ? 0 : report(cli, err, &why);
    config_free(cli->config);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' },
        { "json", no_argument, NULL, 'j' },         { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },      { 0 }
    };
    struct cli cli = { .config_path = DEFAULT_CONFIG };
    AUTO_STR in_dir = NULL;
    umask(077);
    log_open("chancery", LOG_LEVEL_WARN);
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    for (int option; (option = getopt_long(argc, argv, "+c:d:jh", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            cli.config_path = optarg;
            break;
        case 'd':
            free(in_dir);
            in_dir = xasprintf("%s/etc/chancery.conf", optarg);
            cli.config_path = in_dir;
            cli.dir = optarg;
            break;
        case 'j':
            cli.json = true;
            break;
        case 'h':
            return usage(stdout, NULL, 0);
        case 'V':
            puts("chancery " CHANCERY_VERSION);
            return 0;
        default:
            return usage(stderr, NULL, 2);
        }
    }
    if (optind == argc)
        return usage(stderr, NULL, 2);
    return run(&cli, argc - optind, argv + optind);
}
