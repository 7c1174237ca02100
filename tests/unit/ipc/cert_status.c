/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses in records: what cannot be understood is never taken for good. */
#include "ipc/cert_status.h"
#include "base/auto.h"
#include "tests/unit/test.h"

static enum err read_status(const char *status, const char *revoked_at, const char *reason,
                            struct cert_status *ret)
{
    AUTO_BUF der = { 0 };
    struct record record;
    struct why why;
    size_t mark = record_begin(&der);
    if (status)
        record_put_str(&der, "status", status);
    if (revoked_at)
        record_put_str(&der, "revoked_at", revoked_at);
    if (reason)
        record_put_str(&der, "reason", reason);
    record_end(&der, mark);
    ASSERT_OK(record_get(buf_bytes(&der), &record, &why), &why);
    return status_from_record(&record, ret, &why);
}

TEST(the_three_statuses_are_read)
{
    struct cert_status status;
    assert_int_equal(read_status("good", "0", "0", &status), OK);
    assert_int_equal(status.status, OCSP_GOOD);
    assert_int_equal(read_status("unknown", "0", "0", &status), OK);
    assert_int_equal(status.status, OCSP_UNKNOWN);
    assert_int_equal(read_status("revoked", "1790000000", "1", &status), OK);
    assert_int_equal(status.status, OCSP_REVOKED);
    assert_int_equal(status.revoked_at, 1790000000);
    assert_int_equal(status.reason, CRL_KEY_COMPROMISE);
}

TEST(everything_else_is_refused)
{
    struct cert_status status;
    assert_int_equal(read_status(NULL, "0", "0", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("", "0", "0", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("Good", "0", "0", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("fine", "0", "0", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("revoked", NULL, "1", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("revoked", "-1", "1", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("revoked", "1", "7", &status), ERR_PROTOCOL);
    assert_int_equal(read_status("revoked", "1", NULL, &status), ERR_PROTOCOL);
}

static enum err read_serial(const char *text, struct serial *ret)
{
    AUTO_BUF der = { 0 };
    struct record record;
    struct why why;
    size_t mark = record_begin(&der);
    record_put_str(&der, "serial", text);
    record_end(&der, mark);
    ASSERT_OK(record_get(buf_bytes(&der), &record, &why), &why);
    return serial_from_record(&record, ret, &why);
}

TEST(serials_have_one_to_twenty_octets)
{
    struct serial serial;
    assert_int_equal(read_serial("0A", &serial), OK);
    assert_int_equal(serial.len, 1);
    assert_int_equal(read_serial("0102030405060708090A0B0C0D0E0F1011121314", &serial), OK);
    assert_int_equal(serial.len, STATUS_SERIAL_MAX);
    assert_int_equal(read_serial("0102030405060708090A0B0C0D0E0F101112131415", &serial), ERR_PROTOCOL);
    assert_int_equal(read_serial("", &serial), ERR_PROTOCOL);
    assert_int_equal(read_serial("0", &serial), ERR_PROTOCOL);
    assert_int_equal(read_serial("XY", &serial), ERR_PROTOCOL);
}

RUN(T(the_three_statuses_are_read), T(everything_else_is_refused), T(serials_have_one_to_twenty_octets))
