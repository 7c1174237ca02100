/* SPDX-License-Identifier: Apache-2.0 */
/* Named text fields. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "ipc/record.h"
#include <stdlib.h>

static void put_one(struct buf *out)
{
    size_t mark = record_begin(out);
    record_put_str(out, "serial", "0A1B");
    record_put_int(out, "id", -7);
    record_put_time(out, "issued", 1);
    record_put_time(out, "revoked", 0);
    record_put_str(out, "reason", NULL);
    record_end(out, mark);
}

TEST(a_record_is_read_by_name)
{
    AUTO_BUF body = { 0 };
    struct record record;
    struct why why;
    struct bytes value;
    put_one(&body);
    ASSERT_OK(record_get(buf_bytes(&body), &record, &why), &why);
    AUTO_STR serial = record_str(&record, "serial");
    AUTO_STR issued = record_str(&record, "issued");
    AUTO_STR revoked = record_str(&record, "revoked");
    assert_string_equal(serial, "0A1B");
    assert_string_equal(issued, "1970-01-01T00:00:01Z");
    assert_string_equal(revoked, "");
    assert_null(record_str(&record, "absent"));
    assert_int_equal(record_int(&record, "id", 5), -7);
    assert_int_equal(record_int(&record, "absent", 5), 5);
    assert_int_equal(record_int(&record, "serial", 5), 5);
    assert_int_equal(record_int(&record, "reason", 5), 5);
    assert_true(record_find(&record, "reason", &value));
    assert_int_equal(value.len, 0);
}

TEST(a_number_is_digits_that_fit)
{
    static const struct {
        const char *text;
        int64_t number; /* 5: none */
    } cases[] = {
        { "0", 0 },
        { "-1", -1 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "9223372036854775808", 5 },
        { "-9223372036854775809", 5 },
        { "", 5 },
        { "-", 5 },
        { "+1", 5 },
        { "--1", 5 },
        { " 1", 5 },
        { "1 ", 5 },
        { "\n1", 5 },
        { "0x1", 5 },
        { "1.0", 5 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF body = { 0 };
        struct record record;
        struct why why;
        size_t mark = record_begin(&body);
        record_put_str(&body, "n", cases[i].text);
        record_end(&body, mark);
        ASSERT_OK(record_get(buf_bytes(&body), &record, &why), &why);
        if (record_int(&record, "n", 5) != cases[i].number)
            fail_msg("\"%s\" is %lld", cases[i].text, (long long)record_int(&record, "n", 5));
    }
}

TEST(records_come_in_order)
{
    AUTO_BUF body = { 0 };
    struct der_reader list;
    struct record record;
    struct why why;
    size_t mark = records_begin(&body);
    for (int i = 0; i < 3; i++) {
        size_t one = record_begin(&body);
        record_put_int(&body, "n", i);
        record_end(&body, one);
    }
    records_end(&body, mark);
    ASSERT_OK(records_get(buf_bytes(&body), &list, &why), &why);
    for (int i = 0; i < 3; i++) {
        assert_true(records_next(&list, &record));
        assert_int_equal(record_int(&record, "n", -1), i);
    }
    assert_false(records_next(&list, &record));
}

TEST(malformed_records_are_refused_before_any_field_is_used)
{
    AUTO_BUF body = { 0 };
    struct record record;
    struct der_reader list;
    struct why why;
    put_one(&body);
    for (size_t len = 0; len < body.len; len++)
        ASSERT_ERR(ERR_MALFORMED, record_get(bytes_of(body.data, len), &record, &why), &why);
    buf_append_byte(&body, 0);
    ASSERT_ERR(ERR_MALFORMED, record_get(buf_bytes(&body), &record, &why), &why);
    /* a record where a list of records is due */
    body.len--;
    ASSERT_ERR(ERR_MALFORMED, records_get(buf_bytes(&body), &list, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, records_get(BYTES_NONE, &list, &why), &why);
    /* a field of three parts */
    AUTO_BUF three = { 0 };
    size_t mark = record_begin(&three), field = der_begin(&three, DER_SEQUENCE);
    for (int i = 0; i < 3; i++)
        der_put_utf8(&three, BYTES_LIT("x"));
    der_end(&three, field);
    record_end(&three, mark);
    ASSERT_ERR(ERR_MALFORMED, record_get(buf_bytes(&three), &record, &why), &why);
}

RUN(T(a_record_is_read_by_name), T(a_number_is_digits_that_fit), T(records_come_in_order),
    T(malformed_records_are_refused_before_any_field_is_used))
