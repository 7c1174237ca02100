/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/csv.h"
#include "tests/unit/test.h"

/* All of it as a|b;c|d; or the error. */
static enum err flat(struct bytes text, struct buf *out, struct why *why)
{
    struct csv csv = csv_over(text);
    AUTO_VAL(csv_record) record = { 0 };
    bool end;
    for (;;) {
        TRY(csv_next(&csv, &record, &end, why));
        if (end)
            return OK;
        for (size_t i = 0; i < record.count; i++)
            buf_printf(out, "%s%s", i ? "|" : "", buf_text(&record.fields[i]));
        buf_printf(out, "@%zu;", record.line);
    }
}

TEST(lines_and_fields_are_taken_as_rfc_4180_has_them)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        { "a,b\r\n1,2\r\n", "a|b@1;1|2@2;" },
        { "a,b\n1,2", "a|b@1;1|2@2;" },
        { "\xef\xbb\xbf"
          "a,b\n1,2\n",
          "a|b@1;1|2@2;" },
        { "a\n\"x,\"\"y\"\"\"\n", "a@1;x,\"y\"@2;" },
        { "a\n\"two\r\nlines\"\nb\n", "a@1;two\r\nlines@2;b@4;" },
        { "a,b\n,\n", "a|b@1;|@2;" },
        { "a\n\n\nb\n\n", "a@1;b@4;" },
        { "\"\",b\n", "|b@1;" },
        { "", "" },
        { "\n\r\n", "" },
        { " a , b \n", " a | b @1;" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF out = { 0 };
        struct why why = { 0 };
        ASSERT_OK(flat(bytes_str(rows[i].text), &out, &why), &why);
        assert_string_equal(buf_text(&out), rows[i].wanted);
    }
}

TEST(what_is_no_csv_is_refused_with_line_and_column)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        { "a,b\n1,\"2\n", "line 2, column 2: the quotes do not end" },
        { "a,b\n1,\"2\"x\n", "line 2, column 2: text goes on behind closing quotes" },
        { "a,b\n1x\"2\"\n", "line 2, column 1: quotes inside a field" },
        { "a,b\r1,2\r", "line 1, column 2: a carriage return that ends no line" },
        { "\"x\"\"", "line 1, column 1: the quotes do not end" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF out = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_VALUE, flat(bytes_str(rows[i].text), &out, &why), &why);
        if (!strstr(why.text, rows[i].wanted))
            fail_msg("\"%s\", wanted \"%s\"", why.text, rows[i].wanted);
    }
}

TEST(so_many_columns_and_no_more)
{
    AUTO_BUF text = { 0 }, out = { 0 };
    struct why why = { 0 };
    for (int i = 1; i < CSV_FIELDS_MAX; i++)
        buf_append_byte(&text, ',');
    ASSERT_OK(flat(buf_bytes(&text), &out, &why), &why);
    buf_append_byte(&text, ',');
    ASSERT_ERR(ERR_VALUE, flat(buf_bytes(&text), &out, &why), &why);
}

RUN(T(lines_and_fields_are_taken_as_rfc_4180_has_them), T(what_is_no_csv_is_refused_with_line_and_column),
    T(so_many_columns_and_no_more))
