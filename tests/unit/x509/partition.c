/* SPDX-License-Identifier: Apache-2.0 */
/* Which partition a serial is in: for good, and evenly. */
#include "x509/partition.h"
#include "tests/unit/x509/fixture.h"

#include "base/limits.h"

TEST(a_serials_partition_never_changes)
{
    /* Certificates name it: these values are for ever. */
    const struct bytes serial =
        BYTES_LIT("\x01\x6a\xfd\x1c\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x12\x34\x56\x78");
    assert_int_equal(crl_partition_of(1, serial), 0);
    assert_int_equal(crl_partition_of(2, serial), 1 + 0x12345678 % 2);
    assert_int_equal(crl_partition_of(7, serial), 1 + 0x12345678 % 7);
    assert_int_equal(crl_partition_of(256, serial), 1 + 0x78);
    assert_int_equal(crl_partition_of(256, BYTES_LIT("\xFF")), 256);
    assert_int_equal(crl_partition_of(16, BYTES_LIT("\x01\x02")),
                     crl_partition_of(16, BYTES_LIT("\x00\x01\x02")));
    assert_int_equal(crl_partition_of(4, BYTES_NONE), 1);
}

static void spread(unsigned count)
{
    enum { EACH = 400 };
    unsigned in[LIMIT_CRL_PARTITIONS + 1] = { 0 };
    struct why why = { 0 };
    for (unsigned i = 0; i < count * EACH; i++) {
        uint8_t serial[SERIAL_BYTES];
        ASSERT_OK(serial_make(FIXTURE_NOW, serial, &why), &why); /* all of one second */
        unsigned partition = crl_partition_of(count, BYTES_ARR(serial));
        assert_in_range(partition, 1, count);
        in[partition]++;
    }
    for (unsigned i = 1; i <= count; i++)
        assert_in_range(in[i], EACH / 2, EACH * 3 / 2); /* ten standard deviations */
}

TEST(serials_of_one_second_are_in_all_partitions_alike)
{
    spread(2);
    spread(7);
    spread(256);
}

RUN(T(a_serials_partition_never_changes), T(serials_of_one_second_are_in_all_partitions_alike))
