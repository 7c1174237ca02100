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

static void command_put(FILE *to, const struct command *c)
{
    fprintf(to, "chancery %s%s%s%s%s\n", c->noun, *c->verb ? " " : "", c->verb, *c->args ? " " : "", c->args);
}

/* noun NULL: all of them. */
static void commands_put(FILE *to, const char *noun)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (noun && strcmp(noun, (*at)->noun) != 0)
            continue;
        fputs("  ", to);
        command_put(to, *at);
        fprintf(to, "      %s\n", (*at)->help);
    }
}

static int usage(FILE *to, const char *noun, int status)
{
    fputs("usage: chancery [--config FILE | --dir DIR] [--json] COMMAND\n\n", to);
    commands_put(to, noun);
    fprintf(to,
            "\nThe configuration is %s unless --config or --dir (DIR/etc/chancery.conf) says otherwise.\n"
            "Exit status: 0 done, 1 refused, 2 usage, 3 not found, 4 cannot reach, 5 partly done.\n",
            DEFAULT_CONFIG);
    return status;
}

static int usage_of(const struct command *command)
{
    fputs("usage: ", stdout);
    command_put(stdout, command);
    printf("  %s\n", command->help);
    return 0;
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

static bool noun_exists(const char *noun)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (strcmp((*at)->noun, noun) == 0)
            return true;
    }
    return false;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (is_help(argv[i]))
            return true;
    }
    return false;
}

/* The word that is wrong, and what there is in its place. */
static int no_command(int argc, char **argv)
{
    if (noun_exists(argv[0]) && argc > 1 && is_help(argv[1]))
        return usage(stdout, argv[0], 0);
    const char *noun = noun_exists(argv[0]) ? argv[0] : NULL, *verb = noun && argc > 1 ? argv[1] : NULL;
    if (noun && !verb)
        fprintf(stderr, "chancery %s: wrong usage: it needs one more word:\n", noun);
    else
        fprintf(stderr, "chancery: wrong usage: there is no command %s%s%s\n", argv[0], verb ? " " : "",
                verb ? verb : "");
    if (noun)
        commands_put(stderr, noun);
    else
        fputs("  remedy: chancery --help lists the commands\n", stderr);
    return 2;
}

static void remedy_put(const struct command *command, enum err err, const struct why *why)
{
    const char *remedy = why->remedy ? why->remedy : err_row(err)->remedy;
    if (err == ERR_USAGE && !why->remedy) {
        fputs("  usage: ", stderr);
        command_put(stderr, command);
    } else if (*remedy) {
        fprintf(stderr, "  remedy: %s\n", remedy);
    }
}

static int report(const struct cli *cli, const struct command *command, enum err err, const struct why *why)
{
    const struct err_row *row = err_row(err);
    char clean[1024];
    log_escape(why->text, strlen(why->text), clean, sizeof(clean));
    fprintf(stderr, "chancery %s: %s%s%s\n", cli->command_line, row->text, *clean ? ": " : "", clean);
    remedy_put(command, err, why);
    return row->exit_status ? row->exit_status : 1;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct command *command = command_find(argv[0], argc > 1 ? argv[1] : NULL);
    if (!command)
        return no_command(argc, argv);
    int skip = *command->verb ? 1 : 0;
    if (asks_for_help(argc - skip, argv + skip))
        return usage_of(command);
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
    int status = err == OK ? 0 : report(cli, command, err, &why);
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
