/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload does not apply is named. */
#include "tests/unit/config/helper.h"

#define ENDPOINT "endpoint \"x\" { validator = static paths = {\"/a\"} }\n"

static void wanted(const char *before, const char *after, const char *expected)
{
    AUTO(config) running = load(before);
    AUTO(config) fresh = load(after);
    AUTO_BUF what = { 0 };
    config_restart_wanted(running, fresh, &what);
    assert_string_equal(expected, buf_text(&what));
}

TEST(the_same_values_want_no_restart_however_they_are_written)
{
    wanted(CA ENDPOINT, CA ENDPOINT, "");
    wanted(CA, CA "workers = 64\nscep { http_listen = {\"[::]:80\"} }\n", "");
    wanted(CA "workers = 8\n", "# workers\nworkers = 08\n" CA, "");
}

TEST(what_a_reload_applies_wants_no_restart)
{
    wanted(CA ENDPOINT,
           CA "endpoint \"x\" { validator = static paths = {\"/b\"} allow_3des = true ra = combined }\n", "");
    wanted(CA, CA "log_level = debug\n", "");
}

TEST(changed_options_are_named_with_their_section)
{
    wanted(CA, CA "workers = 8\nstop_timeout = 7\n", "workers, stop_timeout");
    wanted(CA ENDPOINT,
           CA "endpoint \"x\" { validator = manual paths = {\"/a\", \"/b\"} allow_sha1 = yes }\n",
           "endpoint \"x\" validator, endpoint \"x\" allow_sha1");
    wanted(CA, CA "scep { http_listen = {\"[::]:81\"} }\n", "scep http_listen");
    wanted(CA, USER "ca \"issuing\" { validity_max = 10 }\n", "ca \"issuing\" validity_max");
}

TEST(new_sections_and_those_that_are_gone_are_named)
{
    wanted(CA, CA ENDPOINT, "endpoint \"x\" (new)");
    wanted(CA ENDPOINT, CA, "endpoint \"x\" (gone)");
    wanted(CA ENDPOINT, CA "workers = 8\nendpoint \"y\" { validator = manual }\n",
           "workers, endpoint \"x\" (gone), endpoint \"y\" (new)");
}

RUN(T(the_same_values_want_no_restart_however_they_are_written), T(what_a_reload_applies_wants_no_restart),
    T(changed_options_are_named_with_their_section), T(new_sections_and_those_that_are_gone_are_named))
