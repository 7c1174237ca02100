/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files as text: encodings, lines, sections, quotes, comments. */
#include "tests/unit/test.h"

#include "base/limits.h"
#include "cli/ini.h"

static struct why why;

/* "LINE SECTION/NAME=VALUE|…" of every entry, or the sentence of the refusal. */
static char *read_all(struct bytes file)
{
    AUTO_BUF text = { 0 }, shown = { 0 };
    if (ini_decode(file, &text, &why) != OK)
        return xstrdup(why.text);
    struct ini_reader reader = ini_reader_over(buf_bytes(&text));
    for (;;) {
        AUTO_VAL(ini_entry) entry = { 0 };
        bool more;
        if (ini_next(&reader, &entry, &more, &why) != OK)
            return xstrdup(why.text);
        if (!more)
            return xstrdup(buf_text(&shown));
        buf_printf(&shown, "%s%d %.*s/%.*s=%.*s", shown.len ? "|" : "", entry.line, (int)entry.section.len,
                   (const char *)entry.section.data, (int)entry.name.len, (const char *)entry.name.data,
                   (int)entry.value.len, (const char *)entry.value.data);
    }
}

#define READS(text, expected)                                                                                \
    do {                                                                                                     \
        AUTO_STR got_ = read_all(BYTES_LIT(text));                                                           \
        assert_string_equal(got_, expected);                                                                 \
    } while (0)

TEST(entries_carry_their_section_and_line)
{
    READS("[A]\nx=1\n\n[B]\ny = 2\n", "2 A/x=1|5 B/y=2");
    READS("  [ A ]  \n\t x\t=\t1 2 \t\n", "2 A/x=1 2");
    READS("[A]\nx=\n", "2 A/x=");
    READS("", "");
    READS("[A]", "");
}

TEST(line_ends_of_windows_are_read_as_those_of_unix)
{
    READS("[A]\r\nx=1\r\ny=2\r\n", "2 A/x=1|3 A/y=2");
    READS("[A]\r\nx=1", "2 A/x=1");
}

TEST(comments_end_a_line_but_not_inside_quotes)
{
    READS("; all of it\n[A];section\nx=1;one\ny = 2 // two\n// none\n", "3 A/x=1|4 A/y=2");
    READS("[A]\nx=\"1;2 // 3\" ; four\n", "2 A/x=1;2 // 3");
    READS("[A]\nx=http://a.example/\n", "2 A/x=http://a.example/");
    READS("[A]\nx=1 /;/\n", "2 A/x=1 /");
}

TEST(quotes_around_a_value_go_and_doubled_ones_stand_for_one)
{
    READS("[A]\nx=\"a\"\"b\"\"\"\n", "2 A/x=a\"b\"");
    READS("[A]\nx=\"\"\n", "2 A/x=");
    READS("[A]\nx=\" a \"\n", "2 A/x= a ");
    READS("[A]\nx=CN=\"a, b\"\n", "2 A/x=CN=\"a, b\"");
    READS("[A]\nx=a=b\n", "2 A/x=a=b");
}

TEST(marks_of_utf_8_and_utf_16_are_read_and_dropped)
{
    READS("\xEF\xBB\xBF[A]\nx=\xC3\xA9\n", "2 A/x=\xC3\xA9");
    READS("\xFF\xFE[\0A\0]\0\n\0x\0=\0\xE9\0\n\0", "2 A/x=\xC3\xA9");
    READS("\xFE\xFF\0[\0A\0]\0\n\0x\0=\0\xE9\0\n", "2 A/x=\xC3\xA9");
    READS("\xEF\xBB\xBF", "");
    READS("\xFF\xFE", "");
}

TEST(other_encodings_are_refused)
{
    READS("\xFF\xFE[\0A", "the file begins as UTF-16, and is not");
    READS("\xFF\xFE\x00\xD8", "the file begins as UTF-16, and is not");
    READS("[A]\nx=\xE9\n", "the file is neither UTF-8 nor UTF-16 with its mark: save it as UTF-8 or Unicode");
    READS("[\0A\0]\0", "the file is neither UTF-8 nor UTF-16 with its mark: save it as UTF-8 or Unicode");
    READS("\xFF\xFE\0\0", "the file is neither UTF-8 nor UTF-16 with its mark: save it as UTF-8 or Unicode");
}

TEST(what_is_neither_section_nor_entry_is_refused_with_its_line)
{
    READS("[A]\nx\n", "line 2: neither [Section] nor Name = Value");
    READS("[A]\n\n=1\n", "line 3: neither [Section] nor Name = Value");
    READS("x=1\n", "line 1: x stands before the first [Section]");
    READS("[A\nx=1\n", "line 1: a section is written [Name]");
    READS("[A]]\n", "line 1: a section is written [Name]");
    READS("[]\n", "line 1: a section is written [Name]");
    READS("[A] x\n", "line 1: a section is written [Name]");
    READS("[A]\nx=\"1\n", "line 2: a quote is not closed");
    READS("[A]\nx=\"1\" 2\n", "line 2: text behind the closing quote");
    READS("[A]\nx=\"1\"\"2\n", "line 2: a quote is not closed");
    READS("[A]\nx=1\x01\n", "line 2: control character 01");
    READS("[A]\nx=1\x7F\n", "line 2: control character 7F");
    READS("[A]\rx=1\n", "line 1: control character 0D");
}

TEST(a_file_has_a_limit)
{
    AUTO_BUF file = { 0 };
    while (file.len < LIMIT_POLICY_BYTES)
        buf_append_byte(&file, '\n');
    AUTO_STR at_limit = read_all(buf_bytes(&file));
    assert_string_equal(at_limit, "");
    buf_append_byte(&file, '\n');
    AUTO_STR past = read_all(buf_bytes(&file));
    assert_string_equal(past, "the file has 65537 bytes, limit 65536");
}

RUN(T(entries_carry_their_section_and_line), T(line_ends_of_windows_are_read_as_those_of_unix),
    T(comments_end_a_line_but_not_inside_quotes), T(quotes_around_a_value_go_and_doubled_ones_stand_for_one),
    T(marks_of_utf_8_and_utf_16_are_read_and_dropped), T(other_encodings_are_refused),
    T(what_is_neither_section_nor_entry_is_refused_with_its_line), T(a_file_has_a_limit))
