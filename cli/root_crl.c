/* SPDX-License-Identifier: Apache-2.0 */
/* chancery crl renew-root, and the root's first CRL. */
#include "cli/root_crl.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/passphrase.h"
#include "cli/site.h"
#include "x509/crl.h"

#include <getopt.h>
#include <stdio.h>

#define DAY_S      86400
#define BACKDATE_S 600 /* a device whose clock is a little behind takes it all the same */

enum err root_crl_make(const struct key *key, const struct cert *root, int64_t now, struct buf *ret_der,
                       struct why *why)
{
    struct crl_builder builder = { 0 };
    AUTO_BUF tbs = { 0 };
    AUTO_BUF signature = { 0 };
    const struct crl_params params = { .algorithm = key_signature_algorithm(key),
                                       .issuer = root->subject,
                                       .issuer_key_id = root->ski,
                                       .this_update = now - BACKDATE_S,
                                       .next_update = now + (int64_t)ROOT_CRL_DAYS * DAY_S,
                                       .number = now };
    crl_begin(&builder, &params);
    crl_end(&builder, &tbs);
    TRY(key_sign(key, params.algorithm.digest, buf_bytes(&tbs), &signature, why));
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), ret_der);
    return OK;
}

char *root_published_path(const struct config *config, const char *name)
{
    AUTO_STR file = xasprintf("published/%s", name);
    return config_role_path(config, "va", file);
}

enum err root_publish(const struct config *config, const char *name, struct bytes der, struct why *why)
{
    AUTO_STR path = root_published_path(config, name);
    TRY(file_write(path, der, 0444, why));
    return site_give(config, "va", path, why);
}

/* --- the command --- */

extern const struct command command_crl_renew_root;
static enum err renew_run(struct cli *cli, int argc, char **argv, struct why *why);
const struct command command_crl_renew_root = {
    .noun = "crl",
    .verb = "renew-root",
    .args = "--root-dir DIR [--root-passphrase-file FILE] [--out FILE]",
    .help = "make the root's next CRL with its key, for va to serve or into FILE",
    .run = renew_run,
};

struct renewal {
    const char *root_dir, *passphrase_file, *out;
};

static enum err renewal_read(struct renewal *renewal, int argc, char **argv, struct why *why)
{
    static const struct option options[] = {
        { "root-dir", 1, NULL, 'd' }, { "root-passphrase-file", 1, NULL, 'p' }, { "out", 1, NULL, 'o' }, { 0 }
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        *(option == 'd'   ? &renewal->root_dir
          : option == 'p' ? &renewal->passphrase_file
                          : &renewal->out) = optarg;
    }
    if (optind != argc || !renewal->root_dir)
        return fail(why, ERR_USAGE, "%s", optind != argc ? "unexpected operand" : "--root-dir is missing");
    return OK;
}

static enum err root_read(const struct renewal *renewal, struct buf *ret_der, struct key **ret_key,
                          struct why *why)
{
    AUTO_STR cert_path = xasprintf("%s/root-1.crt.pem", renewal->root_dir);
    AUTO_STR key_path = xasprintf("%s/root-1.key.pem", renewal->root_dir);
    AUTO_BUF text = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_VAL(secret) passphrase = { 0 };
    TRY(file_read(cert_path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &der, NULL))
        return fail(why, ERR_CONFIG, "%s: no PEM certificate", cert_path);
    TRY(passphrase_read_known(renewal->passphrase_file, "passphrase of the root CA key", &passphrase, why));
    TRY(key_file_load(key_path, &passphrase, NULL, ret_key, why));
    *ret_der = TAKE_BUF(der);
    return OK;
}

static enum err renew_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct renewal renewal = { 0 };
    struct cert root;
    const struct config *config = NULL;
    AUTO(key) key = NULL;
    AUTO_BUF der = { 0 };
    AUTO_BUF crl = { 0 };
    TRY(renewal_read(&renewal, argc, argv, why));
    if (!renewal.out)
        TRY(cli_config(cli, &config, why));
    TRY(root_read(&renewal, &der, &key, why));
    TRY(cert_parse(buf_bytes(&der), &root, why));
    if (!bytes_equal(root.spki, public_key_spki(key->public_half)))
        return fail_remedy(why,
                           "put the root's key and certificate, as chancery init made them, into one folder",
                           ERR_KEY, "%s: key and certificate do not belong together", renewal.root_dir);
    TRY(root_crl_make(key, &root, clock_now(&clock_system), &crl, why));
    TRY(renewal.out ? file_write(renewal.out, buf_bytes(&crl), 0444, why)
                    : root_publish(config, "root.crl", buf_bytes(&crl), why));
    AUTO_STR path = renewal.out ? xstrdup(renewal.out) : root_published_path(config, "root.crl");
    printf("%s\n", path);
    return OK;
}
