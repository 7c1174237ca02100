/* SPDX-License-Identifier: Apache-2.0 */
/* chancery certreq -accept: the certificate that came back, joined with the key that its request was made with. */
#include "cli/cert_file.h"
#include "cli/command.h"
#include "cli/passphrase.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "x509/chain.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/pfx.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <libgen.h>

#define KEY_SUFFIX ".key.pem"

static enum err accept_run(struct cli *cli, int argc, char **argv, struct why *why);
extern const struct command command_certreq_accept;
const struct command command_certreq_accept = {
    .noun = "certreq",
    .verb = "accept",
    .dashed = true,
    .args = "CERT [--key FILE] [--out FILE.pfx] [--passphrase-file FILE] [--pfx-passphrase-file FILE]",
    .help = "join a certificate with the key of its request: a PKCS#12, or a PEM chain beside the key "
            "(certreq -accept)",
    .run = accept_run,
};

struct accept_options {
    const char *cert, *key, *out, *passphrase_file, *pfx_passphrase_file;
};

static enum err options_read(int argc, char **argv, struct accept_options *ret, struct why *why)
{
    static const struct option options[] = { { "key", required_argument, NULL, 'k' },
                                             { "out", required_argument, NULL, 'o' },
                                             { "passphrase-file", required_argument, NULL, 'p' },
                                             { "pfx-passphrase-file", required_argument, NULL, 'x' },
                                             { 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        const char **into = option == 'k'   ? &ret->key
                            : option == 'o' ? &ret->out
                            : option == 'p' ? &ret->passphrase_file
                                            : &ret->pfx_passphrase_file;
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        *into = optarg;
    }
    TRY(cli_operands(argc - optind + 1, 1, why));
    ret->cert = argv[optind];
    return OK;
}

/* --- whose key is it? --- */

/* Is REQUEST, of REQUEST.key.pem, for a key that one of the certificates has? */
static bool request_fits(const char *path, const struct cert_file *certs)
{
    AUTO_BUF text = { 0 }, der = { 0 };
    struct csr csr;
    if (file_read(path, LIMIT_TEXT_FILE_BYTES, &text, NULL) != OK ||
        !pem_decode(buf_bytes(&text), "NEW CERTIFICATE REQUEST", &der, NULL) ||
        csr_parse(buf_bytes(&der), &csr, NULL) != OK)
        return false;
    for (size_t i = 0; i < certs->count; i++) {
        if (bytes_equal(csr.spki, certs->certs[i].spki))
            return true;
    }
    return false;
}

static char *key_beside(const char *folder, const char *name, const struct cert_file *certs)
{
    size_t len = strlen(name), suffix = strlen(KEY_SUFFIX);
    if (len <= suffix || strcmp(name + len - suffix, KEY_SUFFIX) != 0)
        return NULL;
    AUTO_STR request = xasprintf("%s/%.*s", folder, (int)(len - suffix), name);
    return request_fits(request, certs) ? xasprintf("%s/%s", folder, name) : NULL;
}

/* certreq -new left REQUEST and REQUEST.key.pem: the request in the certificate's folder says which key is meant. */
static enum err key_find(const char *cert_path, const struct cert_file *certs, char **ret, struct why *why)
{
    AUTO_STR copy = xstrdup(cert_path);
    const char *folder = dirname(copy);
    AUTO_STR found = NULL;
    DIR *dir = opendir(folder);
    if (!dir)
        return fail(why, ERR_IO, "cannot look through %s: %s", folder, strerror(errno));
    for (const struct dirent *entry; !found && (entry = readdir(dir)) != NULL;)
        found = key_beside(folder, entry->d_name, certs);
    closedir(dir);
    if (!found)
        return fail_remedy(
            why, "name the key of its request with --key FILE", ERR_NOT_FOUND,
            "no request in %s, beside its key as certreq -new left it, has the certificate's key", folder);
    *ret = TAKE(found);
    return OK;
}

static void key_id_text(struct bytes spki, struct buf *ret)
{
    uint8_t id[20];
    if (spki_key_identifier(spki, id, NULL) == OK)
        hex_append_upper(ret, BYTES_ARR(id));
}

/* The certificate of the key among those of the file. */
static enum err leaf_find(const struct cert_file *certs, const struct key *key, size_t *ret, struct why *why)
{
    struct bytes spki = public_key_spki(key->public_half);
    for (size_t i = 0; i < certs->count; i++) {
        if (FAULT(accept_key) || bytes_equal(certs->certs[i].spki, spki)) {
            *ret = i;
            return OK;
        }
    }
    AUTO_BUF ours = { 0 }, theirs = { 0 };
    key_id_text(spki, &ours);
    key_id_text(certs->certs[0].spki, &theirs);
    return fail_remedy(why, "name the key that its request was made with: --key FILE", ERR_KEY,
                       "the certificate is of another key: it has the key identifier %s, the key has %s",
                       buf_text(&theirs), buf_text(&ours));
}

/* --- what is written --- */

struct accepted {
    const struct cert_file *file;
    const struct key *key;
    size_t order[LIMIT_CHAIN_CERTS], length; /* the chain; order[0] is the key's own */
    char *path;                              /* written */
};

static void accepted_free(struct accepted *accepted)
{
    free(accepted->path);
}

static enum err write_pfx(struct accepted *accepted, const char *path, const struct secret *passphrase,
                          struct why *why)
{
    struct bytes certs[LIMIT_CHAIN_CERTS];
    AUTO_BUF der = { 0 };
    for (size_t i = 0; i < accepted->length; i++)
        certs[i] = buf_bytes(&accepted->file->ders[accepted->order[i]]);
    const struct pfx_params params = { .key = accepted->key, .certs = certs, .count = accepted->length };
    TRY(pfx_make(&params, passphrase, &der, why));
    accepted->path = xstrdup(path);
    return file_write_new(path, buf_bytes(&der), 0400, why);
}

static enum err write_chain(struct accepted *accepted, const char *key_path, struct why *why)
{
    AUTO_BUF pem = { 0 };
    size_t len = strlen(key_path), suffix = strlen(KEY_SUFFIX);
    bool ends = len > suffix && strcmp(key_path + len - suffix, KEY_SUFFIX) == 0;
    accepted->path = xasprintf("%.*s.crt.pem", (int)(ends ? len - suffix : len), key_path);
    for (size_t i = 0; i < accepted->length; i++)
        pem_append(&pem, "CERTIFICATE", buf_bytes(&accepted->file->ders[accepted->order[i]]));
    return file_write_new(accepted->path, buf_bytes(&pem), 0444, why);
}

static enum err write_out(struct accepted *accepted, const struct accept_options *options,
                          const char *key_path, const struct secret *passphrase, struct why *why)
{
    if (!options->out)
        return write_chain(accepted, key_path, why);
    if (!options->pfx_passphrase_file)
        return write_pfx(accepted, options->out, passphrase, why);
    AUTO_VAL(secret) other = { 0 };
    TRY(passphrase_read_known(options->pfx_passphrase_file, "passphrase for the PKCS#12", &other, why));
    return write_pfx(accepted, options->out, &other, why);
}

static enum err show(const struct cli *cli, const struct accepted *accepted, struct why *why)
{
    const struct cert *leaf = &accepted->file->certs[accepted->order[0]];
    AUTO_BUF out = { 0 }, subject = { 0 }, issuer = { 0 }, serial = { 0 }, key_id = { 0 };
    name_append_text(&subject, leaf->subject);
    name_append_text(&issuer, leaf->issuer);
    serial_append_text(&serial, leaf->serial);
    key_id_text(leaf->spki, &key_id);
    size_t list = records_begin(&out), mark = record_begin(&out);
    record_put_str(&out, "file", accepted->path);
    record_put(&out, "subject", buf_bytes(&subject));
    record_put(&out, "issuer", buf_bytes(&issuer));
    record_put(&out, "serial", buf_bytes(&serial));
    record_put_time(&out, "expires", leaf->not_after);
    record_put(&out, "key_id", buf_bytes(&key_id));
    record_put_int(&out, "certificates", (int64_t)accepted->length);
    record_put_int(&out, "left_out", (int64_t)(accepted->file->count - accepted->length));
    record_end(&out, mark);
    records_end(&out, list);
    return cli_print_record(cli, buf_bytes(&out), why);
}

static enum err accept_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    struct accept_options options = { 0 };
    AUTO_VAL(cert_file) certs = { 0 };
    AUTO_STR found = NULL;
    AUTO_VAL(secret) passphrase = { 0 };
    AUTO(key) key = NULL;
    size_t leaf;
    TRY(options_read(argc, argv, &options, why));
    TRY(cert_file_read(options.cert, &certs, why));
    if (!options.key)
        TRY(key_find(options.cert, &certs, &found, why));
    const char *key_path = options.key ? options.key : found;
    assert(key_path);
    TRY(passphrase_read_known(options.passphrase_file, "passphrase of the key", &passphrase, why));
    TRY(key_file_load(key_path, &passphrase, NULL, &key, why));
    TRY(leaf_find(&certs, key, &leaf, why));
    AUTO_VAL(accepted) accepted = { .file = &certs, .key = key };
    accepted.length = chain_order(certs.certs, certs.count, leaf, accepted.order);
    TRY(write_out(&accepted, &options, key_path, &passphrase, why));
    return show(cli, &accepted, why);
}
