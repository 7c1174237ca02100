/* SPDX-License-Identifier: Apache-2.0 */
/* store-fill: a site whose store holds very many certificates, as if so many devices had enrolled. Each goes the way of an
 * enrolment through the ca's own code: T1, the seal, T2. What it leaves out is the device (no CMS, no proof of possession)
 * and the signer: the CA's key signs here, so the signer's journal knows nothing of these certificates. */
#include "base/auto.h"
#include "base/encode.h"
#include "bench/parallel.h"
#include "bench/prime_pool.h"
#include "ca/bootstrap.h"
#include "ca/issue.h"
#include "signer/authority.h"
#include "x509/name.h"

#include <getopt.h>
#include <stdio.h>

#define UNITS_AT_ONCE    64 /* as many as one flush takes (store/group.h) */
#define BATCH            20000
#define CERTIFICATES_MAX 100000000

static const char help[] =
    "store-fill -c CONFIG -n N [--ca NAME] [--endpoint NAME] [--template NAME] [--prefix TEXT]\n"
    "  The site must not be served meanwhile. Defaults: issuing, default, SCEPDevice, fill.\n";

struct fill {
    const char *config_path, *ca_name, *endpoint, *template_name, *prefix;
    size_t count, first;
    struct config *config;
    struct store *store;
    struct ca *ca;
    struct authority authority;
    struct prime_pool pool;
    struct template *template;
};

static _Noreturn void usage(const char *problem)
{
    fprintf(stderr, "store-fill: %s\n%s", problem, help);
    exit(2);
}

static void must(enum err err, const struct why *why)
{
    if (err != OK)
        die("store-fill: %s: %s", err_row(err)->name, why->text);
}

static void read_options(struct fill *fill, int argc, char **argv)
{
    static const struct option names[] = { { "ca", 1, NULL, 'a' },
                                           { "endpoint", 1, NULL, 'e' },
                                           { "template", 1, NULL, 't' },
                                           { "prefix", 1, NULL, 'p' },
                                           { NULL, 0, NULL, 0 } };
    int option;
    long long count = 0;
    while ((option = getopt_long(argc, argv, "c:n:", names, NULL)) != -1) {
        if (option == 'c')
            fill->config_path = optarg;
        else if (option == 'n')
            count = atoll(optarg);
        else if (option == 'a')
            fill->ca_name = optarg;
        else if (option == 'e')
            fill->endpoint = optarg;
        else if (option == 't')
            fill->template_name = optarg;
        else if (option == 'p')
            fill->prefix = optarg;
        else
            usage("unknown option");
    }
    if (!fill->config_path || count < 1 || count > CERTIFICATES_MAX || optind != argc)
        usage("-c CONFIG and -n N are needed");
    fill->count = (size_t)count;
}

/* In place of the signer: the CA's key, without its limits and its journal. */
static enum err seal_here(void *arg, const struct seal_request *request,
                          const struct sealer_meanwhile *meanwhile, struct buf *ret_der, struct why *why)
{
    const struct fill *fill = arg;
    (void)meanwhile; /* no CRL is made here */
    const struct key *key = fill->authority.key;
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    AUTO_BUF signature = { 0 };
    TRY(key_sign(key, algorithm.digest, request->tbs, &signature, why));
    signed_assemble(request->tbs, algorithm, buf_bytes(&signature), ret_der);
    return OK;
}

static void open_site(struct fill *fill)
{
    struct why why;
    struct secret unlock = { 0 };
    must(config_load(fill->config_path, &fill->config, &why), &why);
    AUTO_STR unlock_path = config_secret_path(fill->config, "signer", "unlock");
    must(secret_read_file(unlock_path, 256, &unlock, &why), &why);
    const struct config_section *section = config_find(fill->config, "ca", fill->ca_name);
    if (!section)
        usage("--ca: no such section");
    const struct authority_source source = { fill->config, section, &unlock, NULL };
    must(authority_load(&source, &fill->authority, &why), &why);
    secret_free(&unlock);
    must(ca_store_open(fill->config, &fill->store, &why), &why);
    const struct bootstrap_params params = {
        fill->config, &clock_system, fill->store, { .seal = seal_here, .arg = fill }
    };
    must(ca_bootstrap_open(&params, &fill->ca, &why), &why);
    must(template_load(fill->store, bytes_str(fill->template_name), &fill->template, &why), &why);
}

/* SubjectPublicKeyInfo (RFC 3279 2.3.1) of n = p q. */
static void put_spki(struct buf *out, const struct prime_pool *pool, struct prime_pair pair)
{
    static const uint8_t exponent[] = { 1, 0, 1 };
    uint8_t modulus[PRIME_BITS / 4];
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    if (!ctx || !n || !BN_mul(n, pool->primes[pair.p], pool->primes[pair.q], ctx))
        die("no modulus");
    BN_bn2binpad(n, modulus, sizeof(modulus));
    BN_free(n);
    BN_CTX_free(ctx);
    AUTO_BUF key = { 0 };
    size_t numbers = der_begin(&key, DER_SEQUENCE);
    der_put_unsigned_bytes(&key, BYTES_ARR(modulus));
    der_put_unsigned_bytes(&key, BYTES_ARR(exponent));
    der_end(&key, numbers);
    size_t whole = der_begin(out, DER_SEQUENCE), algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(out);
    der_end(out, algorithm);
    der_put_bits(out, buf_bytes(&key));
    der_end(out, whole);
}

/* CertificationRequestInfo (RFC 2986 4.1) as a row keeps it: without the challenge. */
static void put_info(struct buf *out, struct bytes subject, struct bytes spki)
{
    size_t info = der_begin(out, DER_SEQUENCE);
    der_put_int64(out, 0);
    der_put_raw(out, subject);
    der_put_raw(out, spki);
    der_put(out, DER_CONTEXT_CONSTRUCTED(0), BYTES_NONE);
    der_end(out, info);
}

struct device {
    struct buf subject, spki, info, transaction_id;
    uint8_t spki_digest[32], request_key[32];
};

static void device_free(struct device *device)
{
    buf_free(&device->subject);
    buf_free(&device->spki);
    buf_free(&device->info);
    buf_free(&device->transaction_id);
}

static enum err device_make(const struct fill *fill, size_t index, struct device *ret, struct why *why)
{
    AUTO_STR name = xasprintf("CN=%s-%09zu", fill->prefix, index);
    TRY(name_from_text(name, &ret->subject, why));
    put_spki(&ret->spki, &fill->pool, prime_pair_at(index));
    put_info(&ret->info, buf_bytes(&ret->subject), buf_bytes(&ret->spki));
    struct bytes spki = buf_bytes(&ret->spki);
    TRY(sha256_parts(&spki, 1, ret->spki_digest, why));
    TRY(random_fill(ret->request_key, sizeof(ret->request_key), why));
    hex_append_upper(&ret->transaction_id, BYTES_ARR(ret->spki_digest));
    return OK;
}

static enum err issue(const struct fill *fill, const struct device *device, struct why *why)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_STR requester = xasprintf("endpoint/%s", fill->endpoint);
    const struct grant grant = { .template = fill->template,
                                 .subject = device->subject,
                                 .key_usage = fill->template->key_usage,
                                 .validity_s = fill->template->validity_s };
    const struct reserve_params params = { .issuer = ca_find_issuer(fill->ca, bytes_str(fill->ca_name)),
                                           .endpoint = fill->endpoint,
                                           .requester = requester,
                                           .validator = "static",
                                           .request_key = BYTES_ARR(device->request_key),
                                           .transaction_id = buf_bytes(&device->transaction_id),
                                           .signer = BYTES_ARR(device->spki_digest),
                                           .spki = buf_bytes(&device->spki),
                                           .spki_digest = BYTES_ARR(device->spki_digest),
                                           .info = buf_bytes(&device->info),
                                           .peer = BYTES_LIT("127.0.0.1") };
    TRY(issue_reserve(fill->ca, &params, &grant, &slot, why));
    TRY(issue_seal(fill->ca, &slot, &der, why));
    return issue_record(fill->ca, &slot, buf_bytes(&der), why);
}

static void fill_one(void *arg, size_t index)
{
    const struct fill *fill = arg;
    struct device device = { 0 };
    struct why why = { 0 };
    must(device_make(fill, fill->first + index, &device, &why), &why);
    must(issue(fill, &device, &why), &why);
    device_free(&device);
}

int main(int argc, char **argv)
{
    struct fill fill = {
        .ca_name = "issuing", .endpoint = "default", .template_name = "SCEPDevice", .prefix = "fill"
    };
    read_options(&fill, argc, argv);
    open_site(&fill);
    fill.pool = prime_pool_make(prime_pool_size_for(fill.count));
    int64_t begun = clock_mono_ms();
    for (fill.first = 0; fill.first < fill.count; fill.first += BATCH) {
        size_t left = fill.count - fill.first;
        parallel_on(UNITS_AT_ONCE, left < BATCH ? left : BATCH, fill_one, &fill);
        fprintf(stderr, "store-fill: %zu of %zu, %.0f s\n", left < BATCH ? fill.count : fill.first + BATCH,
                fill.count, (double)(clock_mono_ms() - begun) / 1000);
    }
    template_free(fill.template);
    ca_free(fill.ca);
    store_free(fill.store);
    authority_clear(&fill.authority);
    prime_pool_free(&fill.pool);
    config_free(fill.config);
    return 0;
}
