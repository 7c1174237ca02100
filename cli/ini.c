/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files as text: decoded, cut into lines, freed of comments and quotes. What the entries mean is policy.c's. */
#include "cli/ini.h"

#include "base/limits.h"
#include "x509/text.h"
#include <strings.h>

void ini_entry_free(struct ini_entry *entry)
{
    buf_free(&entry->value);
    *entry = (struct ini_entry){ 0 };
}

bool ini_is(struct bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool has_mark(struct bytes file, const char *mark)
{
    return file.len >= strlen(mark) && memcmp(file.data, mark, strlen(mark)) == 0;
}

static enum err decode_utf16(struct bytes units, bool little_endian, struct buf *ret, struct why *why)
{
    AUTO_BUF swapped = buf_dup(units); /* BMPString is big-endian */
    for (size_t i = 0; little_endian && i + 1 < swapped.len; i += 2) {
        uint8_t low = swapped.data[i];
        swapped.data[i] = swapped.data[i + 1];
        swapped.data[i + 1] = low;
    }
    if (!text_to_utf8(DER_BMP_STRING, buf_bytes(&swapped), ret))
        return fail(why, ERR_MALFORMED, "the file begins as UTF-16, and is not");
    return OK;
}

enum err ini_decode(struct bytes file, struct buf *ret_utf8, struct why *why)
{
    AUTO_BUF text = { 0 };
    if (file.len > LIMIT_POLICY_BYTES)
        return fail(why, ERR_LIMIT, "the file has %zu bytes, limit %d", file.len, LIMIT_POLICY_BYTES);
    if (has_mark(file, "\xFF\xFE") || has_mark(file, "\xFE\xFF")) {
        TRY(decode_utf16(bytes_of(file.data + 2, file.len - 2), file.data[0] == 0xFF, &text, why));
    } else {
        size_t mark = has_mark(file, "\xEF\xBB\xBF") ? 3 : 0;
        buf_append(&text, bytes_of(file.data + mark, file.len - mark));
    }
    if (!utf8_is_valid(buf_bytes(&text)))
        return fail(why, ERR_MALFORMED,
                    "the file is neither UTF-8 nor UTF-16 with its mark: save it as UTF-8 or Unicode");
    *ret_utf8 = TAKE_BUF(text);
    return OK;
}

struct ini_reader ini_reader_over(struct bytes utf8)
{
    return (struct ini_reader){ .rest = utf8 };
}

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct bytes trim(struct bytes text)
{
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    while (text.len && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    return text;
}

static struct bytes take_line(struct ini_reader *reader)
{
    struct bytes rest = reader->rest;
    const uint8_t *end = memchr(rest.data, '\n', rest.len);
    size_t len = end ? (size_t)(end - rest.data) : rest.len;
    size_t next = len + (end != NULL);
    reader->rest = bytes_of(rest.data + next, rest.len - next);
    reader->line++;
    return bytes_of(rest.data, len);
}

/* Quotes come in pairs, also doubled ones; what is between them is no comment. */
static enum err drop_comment(struct bytes *line, int number, struct why *why)
{
    bool quoted = false;
    for (size_t i = 0; i < line->len; i++) {
        const uint8_t *at = line->data + i;
        if (*at == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        bool slashes = i + 1 < line->len && at[0] == '/' && at[1] == '/' && (i == 0 || is_blank(at[-1]));
        if (*at == ';' || slashes) {
            line->len = i;
            break;
        }
    }
    if (quoted)
        return fail(why, ERR_MALFORMED, "line %d: a quote is not closed", number);
    *line = trim(*line);
    for (size_t i = 0; i < line->len; i++) {
        if (line->data[i] == 0x7F || (line->data[i] < ' ' && line->data[i] != '\t'))
            return fail(why, ERR_MALFORMED, "line %d: control character %02X", number, line->data[i]);
    }
    return OK;
}

static enum err take_section(struct ini_reader *reader, struct bytes line, struct why *why)
{
    struct bytes name = trim(bytes_of(line.data + 1, line.len - 1));
    if (name.len < 2 || name.data[name.len - 1] != ']' || memchr(name.data, ']', name.len - 1))
        return fail(why, ERR_MALFORMED, "line %d: a section is written [Name]", reader->line);
    reader->section = trim(bytes_of(name.data, name.len - 1));
    return OK;
}

/* Quotes around the whole value go, and a doubled one inside stands for one; quotes further in are the value's own. */
static enum err take_value(struct bytes text, int line, struct buf *ret, struct why *why)
{
    if (!text.len || text.data[0] != '"') {
        buf_append(ret, text);
        return OK;
    }
    size_t i = 1;
    for (; i < text.len; i++) {
        if (text.data[i] == '"') {
            if (i + 1 == text.len || text.data[i + 1] != '"')
                break;
            i++;
        }
        buf_append_byte(ret, text.data[i]);
    }
    if (i + 1 < text.len)
        return fail(why, ERR_MALFORMED, "line %d: text behind the closing quote", line);
    return OK;
}

static enum err take_entry(struct ini_reader *reader, struct bytes line, struct ini_entry *ret,
                           struct why *why)
{
    const uint8_t *equals = memchr(line.data, '=', line.len);
    size_t len = equals ? (size_t)(equals - line.data) : 0;
    AUTO_VAL(ini_entry) entry = { .line = reader->line, .section = reader->section };
    entry.name = trim(bytes_of(line.data, len));
    if (!entry.name.len)
        return fail(why, ERR_MALFORMED, "line %d: neither [Section] nor Name = Value", reader->line);
    if (!entry.section.len)
        return fail(why, ERR_MALFORMED, "line %d: %.*s stands before the first [Section]", reader->line,
                    (int)entry.name.len, (const char *)entry.name.data);
    TRY(take_value(trim(bytes_of(equals + 1, line.len - len - 1)), reader->line, &entry.value, why));
    *ret = entry;
    entry = (struct ini_entry){ 0 };
    return OK;
}

enum err ini_next(struct ini_reader *reader, struct ini_entry *ret, bool *ret_more, struct why *why)
{
    while (reader->rest.len) {
        struct bytes line = take_line(reader);
        TRY(drop_comment(&line, reader->line, why));
        if (!line.len)
            continue;
        if (line.data[0] == '[') {
            TRY(take_section(reader, line, why));
            continue;
        }
        TRY(take_entry(reader, line, ret, why));
        *ret_more = true;
        return OK;
    }
    *ret_more = false;
    return OK;
}
