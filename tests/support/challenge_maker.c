/* SPDX-License-Identifier: Apache-2.0 */
/* challenge-maker: what a management service does for managed enrolment, for the system tests: a signing key with its certificate,
   and challenges sealed with it. */
#include "base/auto.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "challenge/challenge.h"
#include "tests/support/evp_key.h"
#include "x509/name.h"
#include "x509/san.h"
#include <getopt.h>
#include <stdio.h>

#define DEVICE  "0a1b2c3d-0000-4000-8000-00000000000b"
#define PROFILE "0a1b2c3d-0000-4000-8000-00000000000a"

static const char help[] =
    "challenge-maker signer --key FILE --cert FILE\n"
    "  makes a P-256 key (PEM without a passphrase) and a self-signed certificate\n"
    "challenge-maker seal --key FILE --cert FILE --crp FILE [options]\n"
    "  prints a challenge, encrypted to the CRP certificate\n"
    "  --subject NAME, --san dns:…, --eku NAME, --usage NAME[,NAME]   what it expects, for an RSA-2048 key\n"
    "  --lifetime SECONDS             default 3600\n"
    "  --extensions-out FILE          the extensions that a request for just that has (for scep-shape "
    "--extensions)\n";

struct options {
    const char *key, *cert, *crp, *subject, *san, *eku, *usage, *extensions_out;
    int64_t lifetime_s;
};

static _Noreturn void usage(const char *problem)
{
    fprintf(stderr, "challenge-maker: %s\n%s", problem, help);
    exit(2);
}

static void must(enum err err, const struct why *why)
{
    if (err == OK)
        return;
    fprintf(stderr, "challenge-maker: %s: %s\n", err_row(err)->name, why->text);
    exit(1);
}

static void certificate_read(const char *path, struct buf *ret_der, struct cert *ret)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    must(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, &why), &why);
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", ret_der, NULL))
        usage("no PEM certificate");
    must(cert_parse(buf_bytes(ret_der), ret, &why), &why);
}

/* Of no more than five years: what is pinned is not for ever. */
static void signer_make(const struct options *options)
{
    struct why why = { 0 };
    AUTO(key) key = evp_key_ec("P-256");
    AUTO_BUF name = { 0 }, tbs = { 0 }, signature = { 0 }, der = { 0 }, pem = { 0 };
    uint8_t serial[SERIAL_BYTES];
    int64_t now = clock_now(&clock_system);
    must(serial_make(now, serial, &why), &why);
    must(name_from_text("CN=challenge signing", &name, &why), &why);
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = key_signature_algorithm(key),
                                       .issuer = buf_bytes(&name),
                                       .subject = buf_bytes(&name),
                                       .spki = public_key_spki(key->public_half),
                                       .not_before = now - 3600,
                                       .not_after = now + 365 * 86400,
                                       .key_usage = KU_DIGITAL_SIGNATURE,
                                       .path_len = -1 };
    must(tbs_build(&params, &tbs, &why), &why);
    must(key_sign(key, DIGEST_SHA256, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), &der);
    pem_append(&pem, "CERTIFICATE", buf_bytes(&der));
    evp_key_save(key, options->key);
    must(file_write(options->cert, buf_bytes(&pem), 0644, &why), &why);
}

struct wanted {
    struct buf subject, san, eku, extensions;
    uint16_t key_usage;
};

static void wanted_free(struct wanted *wanted)
{
    buf_free(&wanted->subject);
    buf_free(&wanted->san);
    buf_free(&wanted->eku);
    buf_free(&wanted->extensions);
}

static void usages_read(const char *list, uint16_t *ret)
{
    AUTO_STR copy = xstrdup(list);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, ","));) {
        uint16_t bit;
        if (!key_usage_by_name(word, &bit))
            usage("unknown key usage");
        *ret |= bit;
    }
}

static void wanted_read(const struct options *options, struct wanted *ret)
{
    struct why why = { 0 };
    AUTO_BUF names = { 0 }, eku = { 0 };
    enum oid purpose = oid_by_name(options->eku);
    if (purpose == OID_UNKNOWN)
        usage("unknown purpose");
    must(name_from_text(options->subject, &ret->subject, &why), &why);
    must(san_put_text(&names, options->san, &why), &why);
    san_put_end(&ret->san, buf_bytes(&names));
    der_put_oid(&ret->eku, oid_bytes(purpose));
    usages_read(options->usage, &ret->key_usage);
    extension_put_key_usage(&ret->extensions, ret->key_usage);
    extension_put_san(&ret->extensions, buf_bytes(&ret->san), false);
    der_put(&eku, DER_SEQUENCE, buf_bytes(&ret->eku));
    extension_put(&ret->extensions, OID_EXT_EKU, false, buf_bytes(&eku));
}

static void seal(const struct options *options)
{
    struct why why = { 0 };
    AUTO_VAL(wanted) wanted = { 0 };
    AUTO_BUF own_der = { 0 }, crp_der = { 0 }, text = { 0 };
    struct cert own, crp;
    AUTO(key) key = evp_key_load(options->key);
    AUTO(public_key) crp_key = NULL;
    certificate_read(options->cert, &own_der, &own);
    certificate_read(options->crp, &crp_der, &crp);
    must(public_key_parse(crp.spki, &crp_key, &why), &why);
    wanted_read(options, &wanted);
    int64_t now = clock_now(&clock_system);
    struct challenge challenge = { .profile = BYTES_LIT(PROFILE),
                                   .profile_version = 1,
                                   .device = BYTES_LIT(DEVICE),
                                   .not_before = now - 60,
                                   .expires = now + options->lifetime_s,
                                   .expects = { .subject = buf_bytes(&wanted.subject),
                                                .san = buf_bytes(&wanted.san),
                                                .eku = buf_bytes(&wanted.eku),
                                                .key_usage = wanted.key_usage,
                                                .key_kind = KEY_RSA,
                                                .rsa_bits = 2048 } };
    must(random_fill(challenge.id, sizeof(challenge.id), &why), &why);
    const struct challenge_peer recipient = { &crp, crp_key };
    const struct challenge_seal_params params = { { &own, key }, &recipient, 1 };
    must(challenge_seal(&challenge, &params, &text, &why), &why);
    if (options->extensions_out)
        must(file_write(options->extensions_out, buf_bytes(&wanted.extensions), 0644, &why), &why);
    printf("%s\n", buf_text(&text));
}

static const struct option long_options[] = {
    { "key", 1, NULL, 'k' },     { "cert", 1, NULL, 'c' },     { "crp", 1, NULL, 'r' },
    { "subject", 1, NULL, 's' }, { "san", 1, NULL, 'n' },      { "eku", 1, NULL, 'e' },
    { "usage", 1, NULL, 'u' },   { "lifetime", 1, NULL, 'l' }, { "extensions-out", 1, NULL, 'x' },
    { NULL, 0, NULL, 0 },
};

static void option_take(struct options *options, int option, const char *value)
{
    const struct {
        int option;
        const char **at;
    } texts[] = { { 'k', &options->key },     { 'c', &options->cert },          { 'r', &options->crp },
                  { 's', &options->subject }, { 'n', &options->san },           { 'e', &options->eku },
                  { 'u', &options->usage },   { 'x', &options->extensions_out } };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].option == option) {
            *texts[i].at = value;
            return;
        }
    }
    if (option != 'l')
        usage("unknown option");
    options->lifetime_s = atoll(value);
}

int main(int argc, char **argv)
{
    struct options options = { .subject = "CN=device.example",
                               .san = "dns:device.example.net",
                               .eku = "clientAuth",
                               .usage = "digitalSignature,keyEncipherment",
                               .lifetime_s = 3600 };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        option_take(&options, option, optarg);
    const char *what = optind < argc ? argv[optind] : "";
    if (!options.key || !options.cert)
        usage("--key and --cert are needed");
    if (strcmp(what, "signer") == 0)
        signer_make(&options);
    else if (strcmp(what, "seal") == 0 && options.crp)
        seal(&options);
    else
        usage("signer, or seal with --crp");
    return 0;
}
