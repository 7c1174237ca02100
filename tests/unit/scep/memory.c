/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation that OpenSSL makes fails once during a PKIOperation (spec security.md S9): 503 or the whole answer, never
   FAILURE, which makes a device give up, and never half an answer. A wrong message stays refused, whatever memory does. */
#include "base/clock.h"
#include "tests/support/fail_memory.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MORE         40 /* past the count of one run: libcrypto renews blinding now and then */
#define OPTIONS(...) (&(struct site_options){ __VA_ARGS__ })

static void assert_status(struct site *site, const struct pki_answer *answer, const char *wanted)
{
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer->message), &reply);
    assert_string_equal(reply.status, wanted);
    if (*wanted == '0')
        assert_int_equal(openssl_cert_count(buf_bytes(&reply.payload)), 1);
    reply_free(&reply);
}

/* The fake ca is no part of the role: its memory does not fail. */
static const struct ca_client_ops *fake_ops;

static enum err call_in_peace(struct ca_client *client, const char *verb, struct bytes body,
                              struct buf *ret_body, struct why *why)
{
    memory_hold(true);
    enum err err = fake_ops->call(client, verb, body, ret_body, why);
    memory_hold(false);
    return err;
}

static void free_in_peace(struct ca_client *client)
{
    fake_ops->free(client);
}

static const struct ca_client_ops peaceful_ops = { .name = "in peace",
                                                   .call = call_in_peace,
                                                   .free = free_in_peace };

static void judge(struct site *site, const struct pki_answer *answer, long n, const char *wanted)
{
    if (answer->status == 200)
        assert_status(site, answer, wanted);
    else if (answer->status < 500)
        fail_msg("allocation %ld failed: HTTP %d, wanted 5xx or an answer", n, answer->status);
}

static struct pki_answer run_failing_at(struct site *site, struct bytes message, long n)
{
    memory_fail_at(n);
    struct pki_answer answer = site_run(site, message);
    (void)memory_fail_end();
    return answer;
}

static void judged_wrong(int number)
{
    (void)number;
    _exit(1);
}

/* The sanitizer's, when there is one. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static bool leaks(void)
{
    return __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0;
}

/* The role may end, so each try is a child's. false: it ended in good order. */
static bool child_lives(struct site *site, struct bytes message, long n, const char *wanted)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct pki_answer answer = run_failing_at(site, message, n);
        /* Up to here an abort is die(). From here on it is an assertion of this test. */
        signal(SIGABRT, judged_wrong);
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        judge(site, &answer, n, wanted);
        pki_answer_free(&answer);
        _exit(leaks() ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return false;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("allocation %ld failed: the child ended with %x (100: judged wrong, 200: leaked)", n,
                 (unsigned)status);
    return true;
}

/* How many allocations one run makes. */
static long allocations(struct site *site, struct bytes message)
{
    memory_fail_at(0);
    struct pki_answer answer = site_run(site, message);
    (void)memory_fail_end();
    assert_int_equal(answer.status, 200);
    pki_answer_free(&answer);
    return memory_counted();
}

static void every_failure(const struct device_message *message_of, bool spoilt, const char *wanted)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF message = { 0 };
    fake_ops = site->fake.client.ops;
    site->fake.client.ops = &peaceful_ops;
    device_write(site, message_of, &message);
    message.data[message.len - 1] ^= spoilt; /* the signature */
    long count = allocations(site, buf_bytes(&message)), ends = 0;
    assert_true(count > 50);
    for (long n = 1; n <= count + MORE; n++) {
        ends += !child_lives(site, buf_bytes(&message), n, wanted);
    }
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()),
                     0); /* nobody's decryption counts as failed */
    assert_true(ends < count / 4);
    site->fake.client.ops = fake_ops;
    printf("%ld allocations; after %ld of them the role starts anew\n", count, ends);
}

TEST(each_failing_allocation_of_a_pkcsreq)
{
    every_failure(&(struct device_message){ 0 }, false, "0");
}

TEST(each_failing_allocation_of_a_message_with_oaep_and_aes_256)
{
    every_failure(&(struct device_message){ .transport = TRANSPORT_OAEP,
                                            .oaep = { DIGEST_SHA256, DIGEST_SHA256 },
                                            .cipher = CIPHER_AES256_CBC,
                                            .digest = DIGEST_SHA512 },
                  false, "0");
}

TEST(a_message_that_was_changed_is_refused_whatever_memory_does)
{
    every_failure(&(struct device_message){ 0 }, true, "2");
    assert_int_equal(atomic_load(&site_get()->fake.calls), 0); /* and ca was never asked */
}

int main(void)
{
    memory_hook_openssl();
    const struct CMUnitTest tests[] = {
        T(each_failing_allocation_of_a_pkcsreq),
        T(each_failing_allocation_of_a_message_with_oaep_and_aes_256),
        T(a_message_that_was_changed_is_refused_whatever_memory_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    site_end();
    return failed;
}
