/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one event is one line, whatever a peer puts into it. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/log.h"
#include <unistd.h>

static struct buf captured_line(const char *ctx, const char *text)
{
    int ends[2];
    assert_int_equal(0, pipe(ends));
    int saved = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_info(ctx, "%s", text);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(ends[1]);
    struct buf line = { 0 };
    buf_reserve(&line, 8192);
    for (ssize_t got; (got = read(ends[0], line.data + line.len, 8192 - line.len)) > 0;)
        line.len += (size_t)got;
    close(ends[0]);
    return line;
}

static const char *escaped(const char *text, size_t len, char out[static 256])
{
    log_escape(text, len, out, 256);
    return out;
}
#define ESCAPED(literal) escaped(literal, sizeof(literal) - 1, (char[256]){ 0 })

TEST(plain_text_and_utf8_stay_as_they_are)
{
    assert_string_equal("CN=M\xC3\xBCller \xE6\x97\xA5 \xF0\x9F\x94\x91 ~",
                        ESCAPED("CN=M\xC3\xBCller \xE6\x97\xA5 \xF0\x9F\x94\x91 ~"));
}

TEST(control_characters_are_escaped)
{
    assert_string_equal("a\\x0Ab\\x0D\\x00\\x1B[2J\\x7F\\x09", ESCAPED("a\nb\r\0\x1B[2J\x7F\t"));
}

TEST(c1_controls_in_utf8_are_escaped)
{
    assert_string_equal("\\xC2\\x85\\xC2\\x9B\\xC2\\x80\\xC2\\x9F\xC2\xA0",
                        ESCAPED("\xC2\x85\xC2\x9B\xC2\x80\xC2\x9F\xC2\xA0"));
}

TEST(separators_and_bidirectional_controls_are_escaped)
{
    assert_string_equal("\\xE2\\x80\\xA8\\xE2\\x80\\xA9\\xE2\\x80\\xAE\\xE2\\x81\\xA6\\xD8\\x9C",
                        ESCAPED("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE\xE2\x81\xA6\xD8\x9C"));
    assert_string_equal("\xE2\x80\xAF\xE2\x81\xAA", ESCAPED("\xE2\x80\xAF\xE2\x81\xAA"));
}

TEST(ill_formed_utf8_is_escaped_octet_by_octet)
{
    assert_string_equal("\\xFF\\xC0\\xAFx\\xE2\\x82", ESCAPED("\xFF\xC0\xAFx\xE2\x82"));
    assert_string_equal("\\xED\\xA0\\x80", ESCAPED("\xED\xA0\x80"));
}

TEST(escaping_stays_inside_every_room)
{
    static const char text[] = "\n\xF0\x9F\x94\x91z\n\xC3\xBC";
    for (size_t room = 0; room < 40; room++) {
        char out[48];
        memset(out, '!', sizeof(out));
        log_escape(text, sizeof(text) - 1, out, room);
        assert_int_equal('!', out[room]);
        if (room)
            assert_true(strlen(out) < room);
    }
}

TEST(a_peer_cannot_forge_a_line_by_the_text)
{
    AUTO_BUF line = captured_line("tx=1", "subject=a\n2026-01-01T00:00:00Z info ca issued serial=1");
    assert_int_equal('\n', line.data[line.len - 1]);
    assert_ptr_equal(line.data + line.len - 1, memchr(line.data, '\n', line.len));
    assert_non_null(strstr(buf_text(&line), "subject=a\\x0A2026"));
}

TEST(a_peer_cannot_forge_a_line_by_the_context)
{
    AUTO_BUF line = captured_line("tx=1\n2026-01-01T00:00:00Z info ca forged \x1B[1m", "refused");
    assert_ptr_equal(line.data + line.len - 1, memchr(line.data, '\n', line.len));
    assert_null(memchr(line.data, 0x1B, line.len));
    assert_non_null(strstr(buf_text(&line), "tx=1\\x0A2026"));
}

TEST(a_line_has_time_level_role_context_and_text)
{
    log_open("scep", LOG_LEVEL_INFO);
    AUTO_BUF with = captured_line("peer=192.0.2.7", "refused rule=x");
    assert_string_equal(" info scep peer=192.0.2.7 refused rule=x\n", buf_text(&with) + 20);
    assert_int_equal('Z', with.data[19]);
    AUTO_BUF without = captured_line(NULL, "started");
    assert_string_equal(" info scep started\n", buf_text(&without) + 20);
}

TEST(the_longest_text_still_ends_its_line)
{
    char text[4000];
    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    AUTO_BUF line = captured_line(text, text);
    assert_true(line.len < 2688);
    assert_ptr_equal(line.data + line.len - 1, memchr(line.data, '\n', line.len));
}

TEST(lines_below_the_level_are_not_written)
{
    log_level_set(LOG_LEVEL_WARN);
    AUTO_BUF none = captured_line(NULL, "quiet");
    assert_int_equal(0, none.len);
    log_level_set(LOG_LEVEL_INFO);
    AUTO_BUF some = captured_line(NULL, "loud");
    assert_true(some.len > 0);
}

TEST(levels_have_names)
{
    enum log_level level = LOG_LEVEL_INFO;
    assert_true(log_level_by_name("error", &level));
    assert_int_equal(LOG_LEVEL_ERROR, level);
    assert_true(log_level_by_name("debug", &level));
    assert_int_equal(LOG_LEVEL_DEBUG, level);
    assert_false(log_level_by_name("Error", &level));
    assert_false(log_level_by_name("", &level));
    assert_int_equal(LOG_LEVEL_DEBUG, level);
}

RUN(T(plain_text_and_utf8_stay_as_they_are), T(control_characters_are_escaped),
    T(c1_controls_in_utf8_are_escaped), T(separators_and_bidirectional_controls_are_escaped),
    T(ill_formed_utf8_is_escaped_octet_by_octet), T(escaping_stays_inside_every_room),
    T(a_peer_cannot_forge_a_line_by_the_text), T(a_peer_cannot_forge_a_line_by_the_context),
    T(a_line_has_time_level_role_context_and_text), T(the_longest_text_still_ends_its_line),
    T(lines_below_the_level_are_not_written), T(levels_have_names))
