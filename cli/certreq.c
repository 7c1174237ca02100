/* SPDX-License-Identifier: Apache-2.0 */
/* chancery certreq -new: a key and a PKCS#10 from the policy file that the Windows guides print. */
#include "cli/command.h"
#include "cli/passphrase.h"
#include "cli/policy.h"

#include "base/encode.h"
#include "base/file.h"
#include "x509/csr.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#define REQUEST_LABEL "NEW CERTIFICATE REQUEST" /* as Windows' certreq has it, and CAs' pages expect it */

static enum err new_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_certreq_new;
const struct command command_certreq_new = {
    .noun = "certreq",
    .verb = "new",
    .dashed = true,
    .args = "POLICY.inf REQUEST.csr [--passphrase-file FILE]",
    .help = "make a key and a certificate request as a policy file of Windows' certreq says (certreq -new)",
    .run = new_run,
};

struct new_options {
    const char *policy, *request, *passphrase_file;
};

static enum err options_read(int argc, char **argv, struct new_options *ret, struct why *why)
{
    static const struct option options[] = { { "passphrase-file", required_argument, NULL, 'p' }, { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        ret->passphrase_file = optarg;
    }
    TRY(cli_operands(argc - optind + 1, 2, why));
    ret->policy = argv[optind];
    ret->request = argv[optind + 1];
    return OK;
}

static enum err policy_load(const char *path, struct policy *ret, struct why *why)
{
    AUTO_BUF file = { 0 };
    struct why inner = { 0 };
    TRY(file_read(path, LIMIT_POLICY_BYTES, &file, why));
    enum err err = policy_read(buf_bytes(&file), ret, &inner);
    return err == OK ? OK : fail(why, err, "%s: %s", path, inner.text);
}

/* Before a passphrase is asked for and a key is made. */
static enum err refuse_existing(const char *path, struct why *why)
{
    if (access(path, F_OK) == 0)
        return fail(why, ERR_CONFLICT, "%s exists and is not overwritten", path);
    return OK;
}

static enum err request_make(const struct policy *policy, const struct key *key, struct buf *ret_pem,
                             struct why *why)
{
    AUTO_BUF extensions = { 0 }, der = { 0 };
    policy_put_extensions(policy, &extensions);
    const struct csr_params params = { .subject = buf_bytes(&policy->subject),
                                       .extensions = buf_bytes(&extensions) };
    TRY(csr_make(&params, key, &der, why));
    pem_append(ret_pem, REQUEST_LABEL, buf_bytes(&der));
    return OK;
}

struct new_files {
    char *request, *key;
};

static void new_files_free(struct new_files *files)
{
    free(files->request);
    free(files->key);
}

/* The key first: a request whose key got lost would only be noticed with its certificate. */
static enum err files_write(const struct new_files *files, const struct policy *policy, const struct key *key,
                            const struct secret *passphrase, struct why *why)
{
    AUTO_BUF pem = { 0 };
    TRY(request_make(policy, key, &pem, why));
    TRY(key_file_save(key, files->key, passphrase, KEY_PROTECT_PASSPHRASE, why));
    enum err err = file_write_new(files->request, buf_bytes(&pem), 0644, why);
    if (err != OK)
        unlink(files->key); /* made a moment ago, and of no request */
    return err;
}

static enum err show(const struct cli *cli, const struct policy *policy, const struct new_files *files,
                     struct why *why)
{
    AUTO_BUF out = { 0 }, subject = { 0 }, names = { 0 }, whole = { 0 }, usage = { 0 }, purposes = { 0 };
    name_append_text(&subject, buf_bytes(&policy->subject));
    san_put_end(&whole, buf_bytes(&policy->names));
    san_append_text(&names, buf_bytes(&whole));
    key_usage_append_text(&usage, policy->key_usage);
    for (size_t i = 0; i < policy->purpose_count; i++) {
        buf_append_str(&purposes, i ? "," : "");
        oid_append_dotted(&purposes, buf_bytes(&policy->purposes[i]));
    }
    AUTO_STR kind = policy->key.kind == KEY_RSA ? xasprintf("RSA %d", policy->key.rsa_bits)
                                                : xstrdup(key_kind_name(policy->key.kind));
    size_t list = records_begin(&out), mark = record_begin(&out);
    record_put_str(&out, "request", files->request);
    record_put_str(&out, "key", files->key);
    record_put_str(&out, "key_algorithm", kind);
    record_put(&out, "subject", buf_bytes(&subject));
    record_put(&out, "names", buf_bytes(&names));
    record_put(&out, "key_usage", buf_bytes(&usage));
    record_put(&out, "eku", buf_bytes(&purposes));
    record_put(&out, "no_effect", buf_bytes(&policy->no_effect));
    record_end(&out, mark);
    records_end(&out, list);
    return cli_print_record(cli, buf_bytes(&out), why);
}

static enum err new_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct new_options options = { 0 };
    AUTO_VAL(policy) policy = { 0 };
    AUTO_VAL(secret) passphrase = { 0 };
    AUTO(key) key = NULL;
    TRY(options_read(argc, argv, &options, why));
    AUTO_VAL(new_files) files = { xstrdup(options.request), xasprintf("%s.key.pem", options.request) };
    TRY(policy_load(options.policy, &policy, why));
    TRY(refuse_existing(files.request, why));
    TRY(refuse_existing(files.key, why));
    TRY(passphrase_read(options.passphrase_file, "passphrase for the new key", &passphrase, why));
    TRY(key_generate(&policy.key, NULL, &key, why));
    TRY(files_write(&files, &policy, key, &passphrase, why));
    return show(cli, &policy, &files, why);
}
