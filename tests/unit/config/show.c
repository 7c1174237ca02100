/* SPDX-License-Identifier: Apache-2.0 */
/* The table in words. */
#include "tests/unit/config/helper.h"

TEST(shown_text_round_trips)
{
    AUTO(config)
    config = load(CA "stop_timeout = 7\nscep { http_listen = {\"127.0.0.1:80\",\n\"[::1]:81\"} }\n"
                     "endpoint \"x\" { validator = manual paths = {\"/p\"} allow_sha1 = yes\n"
                     "signature_template = \"say \\\"hi\\\" \\\\\" }\n");
    AUTO_BUF shown = { 0 };
    config_show(config, &shown);
    AUTO(config) again = load(buf_text(&shown));
    const struct config_section *x = config_find(again, "endpoint", "x");
    assert_string_equal(config_str(x, "signature_template"), "say \"hi\" \\");
    assert_true(config_bool(x, "allow_sha1"));
    assert_int_equal(config_int(config_top(again), "stop_timeout"), 7);
    assert_int_equal(config_list_count(config_at(again, "scep", 0), "http_listen"), 2);
}

TEST(each_value_says_where_it_is_set_and_what_the_default_is)
{
    AUTO(config) config = load(CA "stop_timeout = 7\n");
    AUTO_BUF shown = { 0 };
    config_show(config, &shown);
    AUTO_STR line = xasprintf("\nstop_timeout = 7    # %s:3, default 10\n", config_path(config));
    assert_non_null(strstr(buf_text(&shown), line));
    assert_non_null(strstr(buf_text(&shown), "\nworkers = 64    # default\n"));
    assert_non_null(strstr(buf_text(&shown), "\nca \"issuing\" {\n"));
}

TEST(the_manual_has_every_option)
{
    AUTO_BUF manual = { 0 };
    options_manual(&manual);
    for (size_t i = 0; i < option_count(); i++) {
        const char *help = option_at(i)->help; /* each sentence of it begins a line */
        AUTO_STR item = xasprintf(".It Ic %s\n%.*s.\n", option_at(i)->name, (int)strcspn(help, "."), help);
        assert_non_null(strstr(buf_text(&manual), item));
    }
    assert_non_null(strstr(buf_text(&manual), "Integer, 1 to 300 s; default \"10\".\n"));
    assert_non_null(strstr(buf_text(&manual), "A reload applies it.\n"));
    assert_non_null(strstr(buf_text(&manual), "; required.\n"));
}

TEST(rows_are_complete_and_unique)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        assert_ptr_equal(option_find(row->section, row->name), row);
        assert_true(strlen(row->help) > 10 && row->help[strlen(row->help) - 1] == '.');
        assert_true(row->help[0] != '.' && row->help[0] != '\'');
        assert_true(row->min <= row->max);
        assert_true(row->type != OPTION_ENUM || *row->words);
        assert_true(row->required || row->type != OPTION_ENUM || words_contain(row->words, row->fallback));
    }
    assert_null(option_at(option_count()));
    assert_null(option_find("", "validator"));
    assert_null(section_row_at(section_row_count()));
}

TEST(words_are_compared_whole)
{
    assert_true(words_contain("scep cli", "cli"));
    assert_true(words_contain("scep cli", "scep"));
    assert_false(words_contain("scep cli", "sce"));
    assert_false(words_contain("scep cli", "scep cli"));
    assert_false(words_contain("scep cli", ""));
    assert_false(words_contain("", "scep"));
}

RUN(T(shown_text_round_trips), T(each_value_says_where_it_is_set_and_what_the_default_is),
    T(the_manual_has_every_option), T(rows_are_complete_and_unique), T(words_are_compared_whole))
