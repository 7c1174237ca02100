/* SPDX-License-Identifier: Apache-2.0 */
/* chancery ca export: the CA's certificate, its root and the chain, for devices and profiles. Read from ca's own files, so that they
   can be had before the service first starts and while it is down; they are what ca loads and GetCACert shows. */
#include "cli/cert_file.h"
#include "cli/command.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "x509/algorithm.h"
#include "x509/chain.h"
#include "x509/cms.h"
#include "x509/name.h"
#include <getopt.h>
#include <unistd.h>

static enum err export_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_ca_export;
const struct command command_ca_export = {
    .noun = "ca",
    .verb = "export",
    .args = "[CA] [--cer DIR]",
    .help = "print a CA's chain as PEM, or write CA, root (.cer) and chain (.p7b) into a folder",
    .run = export_run,
};

struct ca_chain {
    struct cert_file files[2];            /* the CA's own certificate; what is above it */
    struct bytes ders[LIMIT_CHAIN_CERTS]; /* CA first, root last */
    struct cert certs[LIMIT_CHAIN_CERTS];
    size_t count;
};

static void ca_chain_free(struct ca_chain *chain)
{
    cert_file_free(&chain->files[0]);
    cert_file_free(&chain->files[1]);
}

/* Whom an administrator means who names none: the one CA that endpoints issue from, as ca itself says (ca/verbs.c). */
static enum err name_default(const struct config *config, const char **ret, struct why *why)
{
    const char *only = NULL;
    for (size_t i = 0; i < config_count(config, "endpoint"); i++) {
        const char *name = config_str(config_at(config, "endpoint", i), "ca");
        if (only && strcmp(only, name) != 0)
            return fail(why, ERR_USAGE, "endpoints issue from %s and from %s: name one", only, name);
        only = name;
    }
    if (!only)
        return fail(why, ERR_USAGE, "no endpoint issues from a CA: name one");
    *ret = only;
    return OK;
}

struct export_options {
    const char *name, *folder;
};

static enum err options_read(int argc, char **argv, struct export_options *ret, struct why *why)
{
    static const struct option options[] = { { "cer", required_argument, NULL, 'c' }, { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        ret->folder = optarg;
    }
    if (argc - optind > 1)
        return fail(why, ERR_USAGE, "unexpected %s", argv[optind + 1]);
    ret->name = argv[optind]; /* NULL at the end */
    return OK;
}

static enum err chain_add(struct ca_chain *chain, const struct cert_file *file, struct why *why)
{
    for (size_t i = 0; i < file->count; i++) {
        if (chain->count == LIMIT_CHAIN_CERTS)
            return fail(why, ERR_LIMIT, "more than %d certificates in a chain", LIMIT_CHAIN_CERTS);
        chain->certs[chain->count] = file->certs[i];
        chain->ders[chain->count++] = buf_bytes(&file->ders[i]);
    }
    return OK;
}

/* Only what issued the CA goes out with it: another root would be trusted by every device that gets it. */
static enum err chain_sort(struct ca_chain *chain, const char *name, struct why *why)
{
    const struct ca_chain given = *chain;
    size_t order[LIMIT_CHAIN_CERTS];
    size_t length = chain_order(chain->certs, chain->count, 0, order);
    if (!FAULT(export_chain) && length != chain->count)
        return fail(why, ERR_CONFIG, "ca %s has %zu certificates in its files, and %zu of them are its chain",
                    name, chain->count, length);
    for (size_t i = 0; i < length; i++) {
        chain->ders[i] = given.ders[order[i]];
        chain->certs[i] = given.certs[order[i]];
    }
    return OK;
}

static enum err chain_load(const struct config *config, const char *name, struct ca_chain *chain,
                           struct why *why)
{
    if (!config_find(config, "ca", name))
        return fail(why, ERR_NOT_FOUND, "there is no ca %s", name);
    AUTO_STR own_file = xasprintf("certs/ca-%s.crt.pem", name);
    AUTO_STR root_file = xasprintf("certs/ca-%s-root.crt.pem", name);
    AUTO_STR own = config_role_path(config, "ca", own_file);
    AUTO_STR root = config_role_path(config, "ca", root_file);
    TRY(cert_file_read(own, &chain->files[0], why));
    TRY(chain_add(chain, &chain->files[0], why));
    if (name_equal(chain->certs[0].issuer, chain->certs[0].subject)) /* its own root, as the node CA */
        return OK;
    TRY(cert_file_read(root, &chain->files[1], why));
    TRY(chain_add(chain, &chain->files[1], why));
    return chain_sort(chain, name, why);
}

static enum err print_pem(const struct cli *cli, const struct ca_chain *chain, struct why *why)
{
    AUTO_BUF pem = { 0 }, out = { 0 };
    for (size_t i = 0; i < chain->count; i++)
        pem_append(&pem, "CERTIFICATE", chain->ders[i]);
    size_t list = records_begin(&out), mark = record_begin(&out);
    record_put(&out, "pem", buf_bytes(&pem));
    record_end(&out, mark);
    records_end(&out, list);
    return cli_print_field(cli, buf_bytes(&out), "pem", why);
}

/* --- files for Windows: .cer is one certificate in DER, .p7b a PKCS#7 in DER --- */

struct export_file {
    const char *name, *folder, *suffix;
    struct bytes content;
    const struct cert *cert; /* NULL: of the whole chain */
};

static void put_thumbprint(struct buf *out, const char *field, enum digest digest, struct bytes der)
{
    uint8_t octets[DIGEST_MAX_BYTES];
    AUTO_BUF text = { 0 };
    if (digest_compute(digest, der, octets, NULL) != OK)
        return;
    hex_append_upper(&text, bytes_of(octets, digest_size(digest)));
    record_put(out, field, buf_bytes(&text));
}

static enum err file_export(const struct export_file *file, struct buf *list, struct why *why)
{
    AUTO_STR path = xasprintf("%s/%s%s", file->folder, file->name, file->suffix);
    AUTO_BUF subject = { 0 };
    TRY(file_write(path, file->content, 0644, why));
    if (file->cert)
        name_append_text(&subject, file->cert->subject);
    size_t mark = record_begin(list);
    record_put_str(list, "file", path);
    record_put(list, "subject", buf_bytes(&subject));
    record_put_time(list, "expires", file->cert ? file->cert->not_after : 0);
    if (file->cert) {
        put_thumbprint(list, "sha1", DIGEST_SHA1, file->content);
        put_thumbprint(list, "sha256", DIGEST_SHA256, file->content);
    }
    record_end(list, mark);
    return OK;
}

static enum err write_files(const struct cli *cli, const struct ca_chain *chain,
                            const struct export_options *options, struct why *why)
{
    const size_t top = chain->count - 1;
    AUTO_BUF pkcs7 = { 0 }, list = { 0 };
    struct export_file file = { .name = options->name, .folder = options->folder };
    TRY(dir_make(options->folder, 0755, why));
    TRY(cms_certs_encode(chain->ders, chain->count, &pkcs7, why));
    size_t mark = records_begin(&list);
    for (size_t i = 0; i < chain->count; i++) {
        AUTO_STR middle = xasprintf("-%zu.cer", i);
        file.suffix = i == 0 ? ".cer" : i == top ? "-root.cer" : middle;
        file.content = chain->ders[i];
        file.cert = &chain->certs[i];
        TRY(file_export(&file, &list, why));
    }
    file.suffix = "-chain.p7b";
    file.content = buf_bytes(&pkcs7);
    file.cert = NULL;
    TRY(file_export(&file, &list, why));
    records_end(&list, mark);
    return cli_print_list(cli, buf_bytes(&list), why);
}

static enum err export_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct export_options options = { 0 };
    AUTO_VAL(ca_chain) chain = { 0 };
    const struct config *config;
    TRY(options_read(argc, argv, &options, why));
    TRY(cli_config(cli, &config, why));
    if (!options.name)
        TRY(name_default(config, &options.name, why));
    TRY(chain_load(config, options.name, &chain, why));
    return options.folder ? write_files(cli, &chain, &options, why) : print_pem(cli, &chain, why);
}
