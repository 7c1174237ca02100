/* SPDX-License-Identifier: Apache-2.0 */
/* scep-shape: makes a PKCSReq pkiMessage of a device's shape, whole or broken in a named way, and opens the
 * CertRep. */
#include "base/auto.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "tests/support/evp_key.h"
#include "tests/support/pki_answer.h"
#include "tests/support/pki_shape.h"
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#define RECIPIENTS_MAX 16

static const char help[] =
    "scep-shape [build] --ra FILE... --key FILE --out FILE [options]\n"
    "  --shape plain|windows|ios      AES-128, SHA-256 | AES-256, OAEP | 3DES, SHA-512, BER in both layers\n"
    "  --ra FILE                      a certificate to encrypt to (PEM, all in the file; repeat for more)\n"
    "  --recipient-twice, --recipient-none\n"
    "  --subject NAME                 default CN=device.example\n"
    "  --challenge TEXT, --no-challenge, --challenge-size N (fills up with letters)\n"
    "  --extensions FILE              content of the requested Extensions, DER\n"
    "  --message-type N               default 19\n"
    "  --break cms-signature|csr-signature|padding|length|key|content\n"
    "  --other-signer-key             sign the message with another key than the CSR's\n"
    "  --key FILE                     used when it exists, else made (RSA-2048, PEM without a passphrase)\n"
    "  --oaep-digest SHA-1|SHA-256|SHA-384|SHA-512   for windows; default SHA-256, also for MGF1\n"
    "  --seed TEXT                    with the same --key: the same message again\n"
    "  --tx ID                        transactionID\n"
    "  --csr-out FILE                 the CSR too, DER\n"
    "scep-shape open --in CERTREP --key FILE --out FILE [--signer-out FILE]\n"
    "  prints pkiStatus, failInfo, transactionID, recipientNonce; writes the certificate (PEM) when there is "
    "one\n";

struct options {
    struct shape shape;
    struct buf certs[RECIPIENTS_MAX]; /* owned by the program until it ends */
    struct bytes views[RECIPIENTS_MAX];
    const char *key, *in, *out, *csr_out, *signer_out, *extensions;
    int challenge_size;
    bool other_signer_key, open;
};

enum {
    OPT_SHAPE = 256,
    OPT_RA,
    OPT_TWICE,
    OPT_NONE,
    OPT_SUBJECT,
    OPT_CHALLENGE,
    OPT_NO_CHALLENGE,
    OPT_SIZE,
    OPT_TYPE,
    OPT_BREAK,
    OPT_OTHER,
    OPT_KEY,
    OPT_OAEP,
    OPT_SEED,
    OPT_TX,
    OPT_CSR_OUT,
    OPT_IN,
    OPT_OUT,
    OPT_SIGNER_OUT,
    OPT_EXTENSIONS,
    OPT_HELP
};
static const struct option long_options[] = {
    { "shape", 1, NULL, OPT_SHAPE },
    { "ra", 1, NULL, OPT_RA },
    { "recipient-twice", 0, NULL, OPT_TWICE },
    { "recipient-none", 0, NULL, OPT_NONE },
    { "subject", 1, NULL, OPT_SUBJECT },
    { "challenge", 1, NULL, OPT_CHALLENGE },
    { "no-challenge", 0, NULL, OPT_NO_CHALLENGE },
    { "challenge-size", 1, NULL, OPT_SIZE },
    { "message-type", 1, NULL, OPT_TYPE },
    { "break", 1, NULL, OPT_BREAK },
    { "other-signer-key", 0, NULL, OPT_OTHER },
    { "key", 1, NULL, OPT_KEY },
    { "oaep-digest", 1, NULL, OPT_OAEP },
    { "seed", 1, NULL, OPT_SEED },
    { "tx", 1, NULL, OPT_TX },
    { "csr-out", 1, NULL, OPT_CSR_OUT },
    { "in", 1, NULL, OPT_IN },
    { "out", 1, NULL, OPT_OUT },
    { "signer-out", 1, NULL, OPT_SIGNER_OUT },
    { "extensions", 1, NULL, OPT_EXTENSIONS },
    { "help", 0, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

static _Noreturn void usage(const char *problem)
{
    fprintf(stderr, "scep-shape: %s\n%s", problem, help);
    exit(2);
}

static void must(enum err err, const struct why *why)
{
    if (err == OK)
        return;
    fprintf(stderr, "scep-shape: %s: %s\n", err_row(err)->name, why->text);
    exit(1);
}

static void add_recipients(struct options *options, const char *path)
{
    struct why why;
    AUTO_BUF text = { 0 };
    must(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, &why), &why);
    struct bytes rest = buf_bytes(&text);
    size_t *count = &options->shape.recipient_count;
    while (*count < RECIPIENTS_MAX && pem_decode(rest, "CERTIFICATE", &options->certs[*count], &rest)) {
        options->views[*count] = buf_bytes(&options->certs[*count]);
        ++*count;
    }
}

static void set_oaep(struct options *options, const char *name)
{
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA512; digest++) {
        if (strcmp(digest_name(digest), name) == 0) {
            options->shape.oaep = (struct oaep){ digest, digest };
            return;
        }
    }
    usage("unknown OAEP digest");
}

static bool take_flag(struct options *options, int option)
{
    struct shape *shape = &options->shape;
    switch (option) {
    case OPT_TWICE:
        return shape->recipient_twice = true;
    case OPT_NONE:
        return shape->recipient_none = true;
    case OPT_OTHER:
        return options->other_signer_key = true;
    case OPT_NO_CHALLENGE:
        shape->challenge = NULL;
        return true;
    default:
        return false;
    }
}

static void take_value(struct options *options, int option, const char *value)
{
    struct shape *shape = &options->shape;
    switch (option) {
    case OPT_SHAPE:
        if (!shape_by_name(value, &shape->kind))
            usage("unknown shape");
        break;
    case OPT_BREAK:
        if (!shape_break_by_name(value, &shape->breaks))
            usage("unknown break");
        break;
    case OPT_RA:
        add_recipients(options, value);
        break;
    case OPT_SUBJECT:
        shape->subject = value;
        break;
    case OPT_CHALLENGE:
        shape->challenge = value;
        break;
    case OPT_SIZE:
        options->challenge_size = atoi(value);
        break;
    case OPT_TYPE:
        shape->message_type = atoi(value);
        break;
    case OPT_KEY:
        options->key = value;
        break;
    case OPT_OAEP:
        set_oaep(options, value);
        break;
    case OPT_SEED:
        shape->prng = prng_seeded(value);
        break;
    case OPT_TX:
        shape->transaction_id = value;
        break;
    case OPT_CSR_OUT:
        options->csr_out = value;
        break;
    case OPT_IN:
        options->in = value;
        break;
    case OPT_OUT:
        options->out = value;
        break;
    case OPT_EXTENSIONS:
        options->extensions = value;
        break;
    case OPT_SIGNER_OUT:
        options->signer_out = value;
        break;
    default:
        usage("unknown option");
    }
}

static void read_options(struct options *options, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            exit(0);
        }
        if (!take_flag(options, option))
            take_value(options, option, optarg);
    }
    if (optind < argc && strcmp(argv[optind], "open") != 0 && strcmp(argv[optind], "build") != 0)
        usage("neither build nor open");
    options->open = optind < argc && strcmp(argv[optind], "open") == 0;
    if (!options->key || !options->out || (options->open && !options->in))
        usage("--key and --out are needed, and --in with open");
    if (!options->open && options->shape.recipient_count == 0)
        usage("--ra FILE is needed");
}

static struct key *load_or_make_key(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0)
        return evp_key_load(path);
    struct key *key = evp_key_rsa(2048);
    evp_key_save(key, path);
    return key;
}

/* A managed challenge is some 5 kB of base64. */
static void grow_challenge(struct shape *shape, int size, struct buf *storage)
{
    if (size <= 0 || !shape->challenge)
        return;
    buf_append_str(storage, shape->challenge);
    while (storage->len < (size_t)size)
        buf_append_byte(storage, (uint8_t)('A' + storage->len % 26));
    shape->challenge = buf_text(storage);
}

static int build(struct options *options)
{
    struct why why;
    struct shape *shape = &options->shape;
    AUTO_BUF challenge = { 0 }, message = { 0 }, csr = { 0 }, extensions = { 0 };
    AUTO(key) key = load_or_make_key(options->key);
    AUTO(key) other = options->other_signer_key ? evp_key_rsa(2048) : NULL;
    shape->recipients = options->views;
    shape->csr_key = key;
    shape->signer = other ? other : key;
    grow_challenge(shape, options->challenge_size, &challenge);
    if (options->extensions)
        must(file_read(options->extensions, LIMIT_TEXT_FILE_BYTES, &extensions, &why), &why);
    shape->extensions = buf_bytes(&extensions);
    if (options->csr_out) {
        must(shape_csr(shape, &csr, &why), &why);
        must(file_write(options->csr_out, buf_bytes(&csr), 0644, &why), &why);
    }
    must(shape_message(shape, &message, &why), &why);
    must(file_write(options->out, buf_bytes(&message), 0644, &why), &why);
    return 0;
}

static void write_pem(const char *path, struct bytes der)
{
    struct why why;
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", der);
    must(file_write(path, buf_bytes(&pem), 0644, &why), &why);
}

static int open_answer(const struct options *options)
{
    struct why why;
    struct answer answer;
    AUTO_BUF der = { 0 }, signer = { 0 };
    AUTO(key) key = evp_key_load(options->key);
    must(file_read(options->in, LIMIT_TEXT_FILE_BYTES, &der, &why), &why);
    must(answer_open(buf_bytes(&der), key, &answer, &signer, &why), &why);
    printf("pkiStatus: %s\nfailInfo: %s\ntransactionID: %s\nrecipientNonce: %s\ncertificates: %zu\n",
           buf_text(&answer.pki_status), buf_text(&answer.fail_info), buf_text(&answer.transaction_id),
           buf_text(&answer.recipient_nonce), answer.certificates);
    if (answer.certificate.len)
        write_pem(options->out, buf_bytes(&answer.certificate));
    if (options->signer_out)
        write_pem(options->signer_out, buf_bytes(&signer));
    answer_free(&answer);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = { .shape = { .subject = "CN=device.example",
                                          .challenge = "secret",
                                          .message_type = 19,
                                          .oaep = { DIGEST_SHA256, DIGEST_SHA256 } } };
    read_options(&options, argc, argv);
    int status = options.open ? open_answer(&options) : build(&options);
    for (size_t i = 0; i < RECIPIENTS_MAX; i++)
        buf_free(&options.certs[i]);
    return status;
}
