/* SPDX-License-Identifier: Apache-2.0 */
/* captured-scep SOCKET ENDPOINT OTHER MANUAL CHALLENGE CHALLENGE: gets one certificate for the first challenge, then tries everything to
   have another, and at last gets a second one, to show that the challenges were good. Status 0 when nothing went wrong. */
#include "tests/captured/captured.h"

#include "base/auto.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/support/pki_shape.h"
#include "x509/csr.h"
#include "x509/name.h"
#include <stdarg.h>
#include <stdio.h>

#define TIMEOUT_MS 30000

void captured_wrong(struct captured *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("WRONG: ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    it->wrongs++;
}

struct buf captured_csr(const struct key *key, const char *challenge, const char *subject)
{
    struct why why;
    AUTO_BUF name = { 0 };
    struct buf csr = { 0 };
    if (name_from_text(subject, &name, &why) != OK)
        die("%s", why.text);
    const struct csr_params params = { .subject = buf_bytes(&name), .challenge = challenge };
    if (csr_make(&params, key, &csr, &why) != OK)
        die("%s", why.text);
    return csr;
}

static bool is_for_scep(const char *verb)
{
    static const char *const verbs[] = { "request", "poll", "get_cert", "get_crl" };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    }
    return false;
}

static void judge(struct captured *it, const char *verb, struct bytes answer)
{
    struct enroll_answer got;
    struct why why;
    if (!is_for_scep(verb))
        captured_wrong(it, "ca did \"%s\" for scep", verb);
    if (strcmp(verb, "request") != 0 && strcmp(verb, "poll") != 0)
        return;
    if (enroll_answer_get(answer, &got, &why) != OK)
        captured_wrong(it, "%s", why.text);
    else if (got.disposition == ENROLL_ISSUED && !bytes_equal(got.certificate, buf_bytes(&it->certificate)))
        captured_wrong(it, "try %u: a certificate by \"%s\"", it->tries, verb);
}

enum err captured_try(struct captured *it, const char *verb, struct bytes body)
{
    AUTO_BUF answer = { 0 };
    struct why why;
    it->tries++;
    enum err err = channel_call(it->channel, verb, body, TIMEOUT_MS, &answer, &why);
    if (err == OK)
        judge(it, verb, buf_bytes(&answer));
    if (err == ERR_TIMEOUT || err == ERR_INTERNAL)
        captured_wrong(it, "try %u, \"%s\": %s", it->tries, verb, why.text);
    return err;
}

enum err captured_request(struct captured *it, const struct enroll_request *request)
{
    AUTO_BUF body = { 0 };
    enroll_request_put(&body, request);
    return captured_try(it, "request", buf_bytes(&body));
}

/* What has a challenge of its own is issued: the first is what every other try is measured by. */
static void enrol_rightly(struct captured *it, const struct key *key, const char *challenge,
                          struct buf *ret_cert)
{
    AUTO_BUF csr = captured_csr(key, challenge, "CN=rightful");
    AUTO_BUF self_signed = shape_signer_cert(key, "CN=rightful");
    AUTO_BUF body = { 0 }, answer = { 0 };
    struct enroll_answer got = { 0 };
    struct why why;
    const struct enroll_request request = { bytes_str(it->endpoint), buf_bytes(&csr), BYTES_LIT("rightful"),
                                            buf_bytes(&self_signed), BYTES_LIT("192.0.2.7") };
    enroll_request_put(&body, &request);
    if (channel_call(it->channel, "request", buf_bytes(&body), TIMEOUT_MS, &answer, &why) != OK ||
        enroll_answer_get(buf_bytes(&answer), &got, &why) != OK || got.disposition != ENROLL_ISSUED)
        die("a good challenge gets no certificate: %s", why.text);
    buf_free(ret_cert);
    *ret_cert = buf_dup(got.certificate);
}

static struct key *key_new(void)
{
    const struct key_spec spec = { .kind = KEY_EC_P256 };
    struct key *key = NULL;
    struct why why;
    if (key_generate(&spec, NULL, &key, &why) != OK)
        die("%s", why.text);
    return key;
}

static void captured_begin(struct captured *it)
{
    struct why why;
    const struct channel_config config = {
        .path = it->path, .fd = -1, .principal = "scep", .max_frame = LIMIT_CRL_FRAME_BYTES
    };
    if (channel_new(&config, &it->channel, &why) != OK)
        die("%s", why.text);
    it->prng = prng_seeded("captured scep");
    it->key = key_new();
    it->stranger = key_new();
    it->self_signed = shape_signer_cert(it->key, "CN=rightful");
    it->stranger_cert = shape_signer_cert(it->stranger, "CN=stranger");
    enrol_rightly(it, it->key, it->spent, &it->certificate);
    it->csr = captured_csr(it->key, it->spent, "CN=rightful");
}

static void captured_end(struct captured *it)
{
    channel_free(it->channel);
    key_free(it->key);
    key_free(it->stranger);
    buf_free(&it->self_signed);
    buf_free(&it->stranger_cert);
    buf_free(&it->csr);
    buf_free(&it->certificate);
}

int main(int argc, char **argv)
{
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    log_open("captured-scep", LOG_LEVEL_INFO);
    if (argc != 7)
        die("usage: captured-scep SOCKET ENDPOINT OTHER MANUAL CHALLENGE CHALLENGE");
    struct captured it = { .path = argv[1],
                           .endpoint = argv[2],
                           .other = argv[3],
                           .manual = argv[4],
                           .spent = argv[5],
                           .kept = argv[6] };
    captured_begin(&it);
    try_verbs(&it);
    try_issue(&it);
    try_challenges(&it);
    try_endpoints(&it);
    try_signers(&it);
    try_forged_csrs(&it);
    try_polls(&it);
    try_mutants(&it);
    try_frames(&it);
    AUTO_BUF second = { 0 };
    enrol_rightly(&it, it.stranger, it.kept, &second);
    printf("%u tries, %u wrongs\n", it.tries, it.wrongs);
    captured_end(&it);
    return it.wrongs ? 1 : 0;
}
