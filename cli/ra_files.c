/* SPDX-License-Identifier: Apache-2.0 */
/* chancery ra export, import: an RA set's current keys and certificates in a folder, under a passphrase, and back as a new
   generation. A folder has USE.key.pem and USE.crt.pem: encryption and signature, or combined. */
#include "cli/command.h"
#include "cli/passphrase.h"
#include "cli/ra_pair.h"
#include "cli/site.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/generation.h"
#include "base/limits.h"
#include "x509/key.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const uses[] = { "signature", "encryption", "combined" }; /* in the order of a renewal */
#define USES (sizeof(uses) / sizeof(*uses))

struct ra_files {
    struct cli *cli;
    const struct config *config;
    const char *folder, *set;
    struct secret passphrase, unlock;
    long current[USES];  /* generations; 0: none */
    long highest;        /* of those in service, and of those that a renewal has begun */
    bool imported[USES]; /* the key is in place */
};

static void ra_files_free(struct ra_files *files)
{
    secret_free(&files->passphrase);
    secret_free(&files->unlock);
}

/* DIR [SET] [--passphrase-file FILE] */
static enum err arguments_read(struct ra_files *files, int argc, char **argv,
                               const char **ret_passphrase_file, struct why *why)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--passphrase-file") == 0 && i + 1 < argc)
            *ret_passphrase_file = argv[++i];
        else if (argv[i][0] != '-' && !files->folder)
            files->folder = argv[i];
        else if (argv[i][0] != '-' && !files->set)
            files->set = argv[i];
        else
            return fail(why, ERR_USAGE, "unexpected %s", argv[i]);
    }
    if (!files->folder)
        return fail(why, ERR_USAGE, "operand missing");
    files->set = files->set ? files->set : "default";
    return OK;
}

/* What scep has in service: asked, not guessed from file names. */
static enum err generations_ask(struct ra_files *files, struct why *why)
{
    AUTO_BUF question = { 0 }, answer = { 0 };
    struct der_reader list;
    struct record record;
    record_end(&question, record_begin(&question));
    TRY(cli_call(files->cli, "scep", "ra_show", buf_bytes(&question), &answer, why));
    TRY(records_get(buf_bytes(&answer), &list, why));
    while (records_next(&list, &record)) {
        AUTO_STR set = record_str(&record, "set");
        AUTO_STR use = record_str(&record, "use");
        long generation = record_int(&record, "generation", 0);
        for (size_t i = 0; i < USES && set && use && strcmp(set, files->set) == 0; i++) {
            if (strcmp(use, uses[i]) == 0 && generation > files->current[i])
                files->current[i] = generation;
        }
    }
    return OK;
}

static void highest_find(struct ra_files *files)
{
    AUTO_STR keys = config_role_path(files->config, "scep", "keys");
    for (size_t i = 0; i < USES; i++) {
        AUTO_STR prefix = xasprintf("%s-%s", files->set, uses[i]);
        long there = generation_highest(keys, prefix);
        files->highest = files->current[i] > files->highest ? files->current[i] : files->highest;
        files->highest = there > files->highest ? there : files->highest;
    }
}

static enum err files_open(struct ra_files *files, int argc, char **argv, struct why *why)
{
    const char *passphrase_file = NULL;
    TRY(arguments_read(files, argc, argv, &passphrase_file, why));
    TRY(cli_config(files->cli, &files->config, why));
    TRY(generations_ask(files, why));
    highest_find(files);
    TRY(site_unlock(files->config, "scep", &files->unlock, why));
    return passphrase_read(passphrase_file, "passphrase of the exported keys", &files->passphrase, why);
}

static char *role_file(const struct ra_files *files, size_t use, long generation, bool is_key)
{
    AUTO_STR name = xasprintf("%s/%s-%s-%ld.%s.pem", is_key ? "keys" : "certs", files->set, uses[use],
                              generation, is_key ? "key" : "crt");
    return config_role_path(files->config, "scep", name);
}

static char *folder_file(const struct ra_files *files, size_t use, bool is_key)
{
    return xasprintf("%s/%s.%s.pem", files->folder, uses[use], is_key ? "key" : "crt");
}

/* --- export --- */

static enum err use_export(const struct ra_files *files, size_t use, struct why *why)
{
    AUTO_STR key_from = role_file(files, use, files->current[use], true);
    AUTO_STR cert_from = role_file(files, use, files->current[use], false);
    AUTO_STR key_to = folder_file(files, use, true);
    AUTO_STR cert_to = folder_file(files, use, false);
    AUTO(key) key = NULL;
    AUTO_BUF pem = { 0 };
    TRY(key_file_load(key_from, &files->unlock, NULL, &key, why));
    TRY(file_read(cert_from, LIMIT_TEXT_FILE_BYTES, &pem, why));
    TRY(key_file_save(key, key_to, &files->passphrase, KEY_PROTECT_PASSPHRASE, why));
    return file_write_new(cert_to, buf_bytes(&pem), 0444, why);
}

static enum err ra_export_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_ra_export;
const struct command command_ra_export = {
    .noun = "ra",
    .verb = "export",
    .args = "DIR [SET] [--passphrase-file FILE]",
    .help = "write the current RA keys, under a passphrase, and certificates into a folder",
    .run = ra_export_run,
};

static enum err ra_export_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    AUTO_VAL(ra_files) files = { .cli = cli };
    TRY(files_open(&files, argc, argv, why));
    if (!files.current[0] && !files.current[1] && !files.current[2])
        return fail(why, ERR_NOT_FOUND, "no endpoint has the RA set %s", files.set);
    TRY(dir_make(files.folder, 0700, why));
    for (size_t i = 0; i < USES; i++) {
        if (files.current[i])
            TRY(use_export(&files, i, why));
    }
    return OK;
}

/* --- import --- */

static bool use_is_there(const struct ra_files *files, size_t use)
{
    AUTO_STR key = folder_file(files, use, true);
    return access(key, F_OK) == 0;
}

static enum err use_load(const struct ra_files *files, size_t use, struct key **ret_key, struct buf *ret_pem,
                         struct why *why)
{
    AUTO_STR key_from = folder_file(files, use, true);
    AUTO_STR cert_from = folder_file(files, use, false);
    AUTO(key) key = NULL;
    TRY(key_file_load(key_from, &files->passphrase, NULL, &key, why));
    TRY(file_read(cert_from, LIMIT_TEXT_FILE_BYTES, ret_pem, why));
    *ret_key = TAKE(key);
    return OK;
}

/* One place is left for the renewal that comes by itself. */
static enum err room_judge(const struct ra_files *files, size_t use, struct why *why)
{
    AUTO_STR keys = config_role_path(files->config, "scep", "keys");
    AUTO_STR prefix = xasprintf("%s-%s", files->set, uses[use]);
    size_t count = generations_find(keys, prefix).count;
    if (count + 1 >= GENERATIONS_MAX)
        return fail(why, ERR_LIMIT,
                    "%s has %zu generations of %s already, limit %d and one to spare; move the oldest away",
                    keys, count, prefix, GENERATIONS_MAX);
    return OK;
}

/* Before anything is written: a command that is ended half way leaves nothing that scep would not start with. */
static enum err use_judge(const struct ra_files *files, size_t use, struct why *why)
{
    AUTO(key) key = NULL;
    AUTO_BUF pem = { 0 };
    if (!files->current[use])
        return fail(why, ERR_NOT_FOUND, "no endpoint has the RA set %s with a %s certificate", files->set,
                    uses[use]);
    TRY(room_judge(files, use, why));
    TRY(use_load(files, use, &key, &pem, why));
    const struct ra_pair pair = { files->set, uses[use], key, buf_bytes(&pem) };
    return FAULT(import_judged) ? OK : ra_pair_judge(files->config, &pair, why);
}

/* The certificate first: one without a key is no generation yet. */
static enum err use_import(struct ra_files *files, size_t use, struct why *why)
{
    AUTO_STR key_to = role_file(files, use, files->highest + 1, true);
    AUTO_STR cert_to = role_file(files, use, files->highest + 1, false);
    AUTO(key) key = NULL;
    AUTO_BUF pem = { 0 };
    TRY(use_load(files, use, &key, &pem, why));
    TRY(file_write(cert_to, buf_bytes(&pem), 0444, why));
    TRY(site_give(files->config, "scep", cert_to, why));
    TRY(key_file_save(key, key_to, &files->unlock, KEY_PROTECT_SECRET, why));
    files->imported[use] = true;
    return site_give(files->config, "scep", key_to, why);
}

/* scep has the last word on what it takes into service. What it does not take is removed again. */
static enum err imported_load(const struct ra_files *files, struct why *why)
{
    AUTO_BUF question = { 0 }, answer = { 0 };
    record_end(&question, record_begin(&question));
    return cli_call(files->cli, "scep", "reload", buf_bytes(&question), &answer, why);
}

/* Never a key of somebody else, who had the same number at the same moment. */
static void import_undo(const struct ra_files *files)
{
    for (size_t i = 0; i < USES; i++) {
        AUTO_STR key = role_file(files, i, files->highest + 1, true);
        AUTO_STR cert = role_file(files, i, files->highest + 1, false);
        if (files->imported[i]) {
            (void)unlink(key);
            (void)unlink(cert);
        }
    }
}

static enum err import_all(struct ra_files *files, struct why *why)
{
    for (size_t i = 0; i < USES; i++) {
        if (use_is_there(files, i))
            TRY(use_judge(files, i, why));
    }
    for (size_t i = 0; i < USES; i++) {
        if (use_is_there(files, i))
            TRY(use_import(files, i, why));
    }
    return imported_load(files, why);
}

static enum err ra_import_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_ra_import;
const struct command command_ra_import = {
    .noun = "ra",
    .verb = "import",
    .args = "DIR [SET] [--passphrase-file FILE]",
    .help = "take RA keys and certificates of such a folder into service as a new generation",
    .run = ra_import_run,
};

static enum err ra_import_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    AUTO_VAL(ra_files) files = { .cli = cli };
    TRY(files_open(&files, argc, argv, why));
    bool separate = use_is_there(&files, 0) && use_is_there(&files, 1);
    if (!separate && !use_is_there(&files, 2))
        return fail_remedy(why, "give the folder that chancery ra export wrote", ERR_NOT_FOUND,
                           "%s has neither encryption.key.pem and signature.key.pem nor combined.key.pem",
                           files.folder);
    enum err err = import_all(&files, why);
    if (err != OK)
        import_undo(&files);
    return err;
}
