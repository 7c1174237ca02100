/* SPDX-License-Identifier: Apache-2.0 */
/* The one form of a path. */
#include "http/path.h"
#include "base/auto.h"
#include "tests/unit/test.h"

static void is(const char *path, const char *expected)
{
    AUTO_STR clean = path_normalise(bytes_str(path));
    assert_string_equal(clean, expected);
}

TEST(paths_are_normalised_once)
{
    is("/", "/");
    is("/A/b.CRL/", "/a/b.crl");
    is("/a%2541/", "/a%41");
    is("/x+.crl", "/x+.crl");
    is("/x%2B.crl", "/x+.crl");
}

TEST(what_is_no_path_has_no_form)
{
    static const char *const bad[] = { "", "a", "/%", "/%0", "/%zz", "/%00", "/%0a", "/\x7F" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR clean = path_normalise(bytes_str(bad[i]));
        assert_null(clean);
    }
}

RUN(T(paths_are_normalised_once), T(what_is_no_path_has_no_form))
