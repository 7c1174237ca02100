/* SPDX-License-Identifier: Apache-2.0 */
/* NDESPlugin.log in the guides' words, and for managed endpoints alone. */
#include "scep/plugin_log.h"

#include "base/file.h"
#include "base/log_file.h"
#include "scep/transaction.h"
#include "tests/unit/test.h"
#include <unistd.h>

static struct {
    char path[64];
    struct clock clock;
    struct scep scep;
    struct endpoint endpoint;
    struct transaction tx;
} set;

static int begin(void **state)
{
    (void)state;
    struct why why = { 0 };
    snprintf(set.path, sizeof(set.path), "/tmp/chancery-plugin-XXXXXX");
    int fd = mkstemp(set.path);
    assert_true(fd >= 0);
    close(fd);
    set.clock = clock_held_at(1795000000);
    set.scep = (struct scep){ .clock = &set.clock };
    ASSERT_OK(log_file_open(set.path, "plugin log", &set.scep.plugin_log, &why), &why);
    set.endpoint = (struct endpoint){ .policy_module = true };
    set.tx = (struct transaction){ .scep = &set.scep, .endpoint = &set.endpoint, .type = SCEP_PKCS_REQ };
    snprintf(set.tx.ctx, sizeof(set.tx.ctx), "tx=5F3C peer=192.0.2.7 endpoint=managed");
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_file_free(set.scep.plugin_log);
    return unlink(set.path);
}

#define LINE(text) "2026-11-18T11:06:40Z tx=5F3C peer=192.0.2.7 endpoint=managed " text "\n"

static void assert_log(const char *expected)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_read(set.path, 4096, &text, &why), &why);
    assert_string_equal(expected, buf_text(&text));
}

TEST(a_request_that_ca_grants_is_verified_and_notified)
{
    plugin_log_asking(&set.tx);
    plugin_log_answered(&set.tx, OK);
    assert_log(LINE("Calling VerifyRequest ...") LINE("Sending request to certificate registration point.")
                   LINE("Verify challenge returns true") LINE("Exiting VerifyRequest with 0x0")
                       LINE("Calling Notifyrequest ...") LINE("Exiting Notify with 0x0"));
}

TEST(one_that_ca_refuses_is_not_notified)
{
    plugin_log_answered(&set.tx, ERR_SUBJECT_MISMATCH);
    assert_log(LINE("Verify challenge returns false") LINE("Exiting VerifyRequest with 0x0"));
}

TEST(while_ca_is_down_nothing_is_returned)
{
    plugin_log_answered(&set.tx, ERR_UNAVAILABLE);
    assert_log(LINE("Exiting VerifyRequest with 0x80094002"));
}

TEST(other_endpoints_and_other_messages_are_not_in_it)
{
    set.tx.type = SCEP_CERT_POLL;
    plugin_log_asking(&set.tx);
    plugin_log_answered(&set.tx, OK);
    set.tx.type = SCEP_PKCS_REQ;
    set.endpoint.policy_module = false;
    plugin_log_asking(&set.tx);
    plugin_log_answered(&set.tx, OK);
    assert_log("");
}

#define P(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(P(a_request_that_ca_grants_is_verified_and_notified), P(one_that_ca_refuses_is_not_notified),
    P(while_ca_is_down_nothing_is_returned), P(other_endpoints_and_other_messages_are_not_in_it))
