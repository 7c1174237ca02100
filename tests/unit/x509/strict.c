/* SPDX-License-Identifier: Apache-2.0 */
/* What der_is_strict adds to der_is_valid. */
#include "x509/strict.h"
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

TEST(every_universal_type_has_its_content)
{
    static const struct {
        const char *hex;
        bool good;
    } rows[] = {
        { "0101ff", true },
        { "010100", true },
        { "010101", false },
        { "0100", false },
        { "0102ffff", false },
        { "020100", true },
        { "0200", false },
        { "02020001", false },
        { "0202ff80", false },
        { "02020080", true },
        { "0a0100", true },
        { "0a00", false },
        { "0a020001", false },
        { "0a02ff80", false },
        { "0a020080", true },
        { "0300", false },
        { "030100", true },
        { "030101", false },
        { "030207"
          "80",
          true },
        { "03020781", false },
        { "03020880", false },
        { "0500", true },
        { "050100", false },
        { "06012a", true },
        { "0600", false },
        { "06028001", false },
        { "060180", false },
        { "1e020041", true },
        { "1e0141", false },
        { "1e00", true },
        { "1c0400000041", true },
        { "1c020041", false },
        { "0c01ff", true },
        { "1301ff", true },
        { "0401ff", true },
        { "800101", true },
        { "a003020100", true },
        { "a003020200", false },
        { "a0", false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF der = fixture_hex(rows[i].hex);
        if (der_is_strict(buf_bytes(&der)) != rows[i].good)
            fail_msg("%s", rows[i].hex);
    }
}

TEST(nesting_ends_at_the_limit_of_the_reader)
{
    for (int past = 0; past < 2; past++) {
        AUTO_BUF der = { 0 };
        size_t marks[LIMIT_DER_DEPTH + 1];
        for (int i = 0; i < LIMIT_DER_DEPTH + past; i++)
            marks[i] = der_begin(&der, DER_SEQUENCE);
        for (int i = LIMIT_DER_DEPTH + past; i-- > 0;)
            der_end(&der, marks[i]);
        assert_int_equal(der_is_strict(buf_bytes(&der)), !past);
        assert_int_equal(der_is_valid(buf_bytes(&der)), !past);
    }
}

RUN(T(every_universal_type_has_its_content), T(nesting_ends_at_the_limit_of_the_reader))
