/* SPDX-License-Identifier: Apache-2.0 */
/* floor: the cryptography that one enrolment cannot do without, and nothing else: RSA-2048 decryption, two RSA
 * verifications, a P-256 signature, RSA encryption, an RSA-2048 signature. Through EVP, keys loaded, a context per
 * operation. One thread on each core that it may use. */
#include "base/clock.h"
#include "base/err.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RSA_BITS     2048
#define RSA_OCTETS   (RSA_BITS / 8)
#define SIGNED_ABOUT 1500 /* octets under each signature of a message */
#define KEY_OCTETS   16   /* of AES-128 */
#define CORES_MAX    64
#define SAMPLES_MAX  1000000

struct keys {
    EVP_PKEY *ra, *client, *ca;
    unsigned char text[SIGNED_ABOUT], signature[RSA_OCTETS], content_key[KEY_OCTETS], sealed[RSA_OCTETS];
};
struct worker {
    pthread_t thread;
    struct keys *keys;
    int64_t until_us;
    uint32_t *samples_us;
    size_t count;
    double cpu_ms;
};

static void must(bool done, const char *what)
{
    if (!done)
        die("floor: %s failed", what);
}

static void sign(EVP_PKEY *key, const unsigned char *text, unsigned char *signature, size_t room)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(ctx, signature, &room, text, SIGNED_ABOUT) == 1,
         "signature");
    EVP_MD_CTX_free(ctx);
}

static void verify(const struct keys *keys)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, keys->client) == 1 &&
             EVP_DigestVerify(ctx, keys->signature, RSA_OCTETS, keys->text, SIGNED_ABOUT) == 1,
         "verification");
    EVP_MD_CTX_free(ctx);
}

static void encrypt(const struct keys *keys, EVP_PKEY *to, unsigned char *sealed)
{
    size_t len = RSA_OCTETS;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to, NULL);
    must(EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
             EVP_PKEY_encrypt(ctx, sealed, &len, keys->content_key, KEY_OCTETS) == 1,
         "encryption");
    EVP_PKEY_CTX_free(ctx);
}

static void decrypt(const struct keys *keys)
{
    unsigned char plain[RSA_OCTETS];
    size_t len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(keys->ra, NULL);
    must(EVP_PKEY_decrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
             EVP_PKEY_decrypt(ctx, plain, &len, keys->sealed, RSA_OCTETS) == 1 && len == KEY_OCTETS,
         "decryption");
    EVP_PKEY_CTX_free(ctx);
}

static void one_enrolment(const struct keys *keys)
{
    unsigned char out[RSA_OCTETS];
    verify(keys);                                /* the pkiMessage's signature */
    decrypt(keys);                               /* its content-encryption key */
    verify(keys);                                /* the CSR's own signature */
    sign(keys->ca, keys->text, out, RSA_OCTETS); /* the certificate */
    encrypt(keys, keys->client, out);            /* the answer's content-encryption key */
    sign(keys->ra, keys->text, out, RSA_OCTETS); /* the CertRep */
}

static void keys_make(struct keys *keys)
{
    keys->ra = EVP_RSA_gen(RSA_BITS);
    keys->client = EVP_RSA_gen(RSA_BITS);
    keys->ca = EVP_EC_gen("P-256");
    must(keys->ra && keys->client && keys->ca, "key generation");
    for (size_t i = 0; i < SIGNED_ABOUT; i++)
        keys->text[i] = (unsigned char)i;
    sign(keys->client, keys->text, keys->signature, RSA_OCTETS);
    encrypt(keys, keys->ra, keys->sealed);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    for (int64_t now = clock_mono_us(); now < worker->until_us && worker->count < SAMPLES_MAX;) {
        int64_t begun = now;
        one_enrolment(worker->keys);
        now = clock_mono_us();
        worker->samples_us[worker->count++] = (uint32_t)(now - begun);
    }
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    worker->cpu_ms = (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
    return NULL;
}

static double cpu_ms(const struct worker *workers, int count)
{
    double total = 0;
    for (int i = 0; i < count; i++)
        total += workers[i].cpu_ms;
    return total;
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static int cores_of(int ret[static CORES_MAX])
{
    cpu_set_t set;
    int count = 0;
    must(sched_getaffinity(0, sizeof(set), &set) == 0, "sched_getaffinity");
    for (int core = 0; core < CPU_SETSIZE && count < CORES_MAX; core++) {
        if (CPU_ISSET(core, &set))
            ret[count++] = core;
    }
    return count;
}

/* Begins the workers, each on its own core, and waits for them. */
static void measure(struct worker *workers, int count, const int *cores, int64_t until_us)
{
    for (int i = 0; i < count; i++) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cores[i], &set);
        workers[i].until_us = until_us;
        must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0 &&
                 pthread_setaffinity_np(workers[i].thread, sizeof(set), &set) == 0,
             "thread");
    }
    for (int i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
}

static void slice(struct worker *workers, int count, const int *cores, double seconds)
{
    size_t total = 0;
    int64_t begun = clock_mono_us();
    for (int i = 0; i < count; i++)
        workers[i].count = 0;
    measure(workers, count, cores, begun + (int64_t)(seconds * 1e6));
    double elapsed = (double)(clock_mono_us() - begun) / 1e6;
    for (int i = 0; i < count; i++)
        total += workers[i].count;
    size_t middle = workers[0].count / 2;
    qsort(workers[0].samples_us, workers[0].count, sizeof(uint32_t), by_size);
    printf("{\"threads\": %d, \"rate\": %.2f, \"p50_ms\": %.4f, \"cpu_ms\": %.4f}\n", count,
           (double)total / elapsed, workers[0].samples_us[middle] / 1000.0,
           total ? cpu_ms(workers, count) / (double)total : 0);
    fflush(stdout);
}

/* Driven by lines on standard input: a number of seconds gives a line of JSON. So keys are made once, and nothing
   runs between the slices. */
int main(int argc, char **argv)
{
    struct keys keys;
    struct worker workers[CORES_MAX] = { 0 };
    int cores[CORES_MAX], count = cores_of(cores);
    double seconds;
    if (argc > 1)
        die("%s takes no arguments: each line of standard input is a number of seconds to measure for",
            argv[0]);
    must(count > 0, "finding a core");
    keys_make(&keys);
    for (int i = 0; i < count; i++) {
        workers[i].keys = &keys;
        workers[i].samples_us = calloc(SAMPLES_MAX, sizeof(uint32_t));
        must(workers[i].samples_us, "memory");
    }
    while (scanf("%lf", &seconds) == 1)
        slice(workers, count, cores, seconds);
    for (int i = 0; i < count; i++)
        free(workers[i].samples_us);
    EVP_PKEY_free(keys.ra);
    EVP_PKEY_free(keys.client);
    EVP_PKEY_free(keys.ca);
    return 0;
}
