/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/uuid.h"
#include "tests/unit/test.h"

TEST(ids_are_random_uuids_of_version_4)
{
    char one[UUID_TEXT], other[UUID_TEXT];
    struct why why = { 0 };
    ASSERT_OK(uuid_make(one, &why), &why);
    ASSERT_OK(uuid_make(other, &why), &why);
    assert_string_not_equal(one, other);
    assert_true(uuid_is(bytes_str(one)));
    assert_int_equal('4', one[14]);
    assert_non_null(strchr("89ab", one[19]));
    assert_int_equal(36, strspn(one, "0123456789abcdef-"));
}

TEST(other_forms_are_no_uuid)
{
    static const char *const wrong[] = { "",
                                         "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2",
                                         "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f0",
                                         "1c9c0bf45-b0e-4f0c-9d7b-2b8f0c9d1e2f",
                                         "{c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2}",
                                         "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2g" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(uuid_is(bytes_str(wrong[i])));
    assert_true(uuid_is(BYTES_LIT("1C9C0BF4-5B0E-4F0C-9D7B-2B8F0C9D1E2F")));
}

RUN(T(ids_are_random_uuids_of_version_4), T(other_forms_are_no_uuid))
