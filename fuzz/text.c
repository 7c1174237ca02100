/* SPDX-License-Identifier: Apache-2.0 */
/* The small parsers of text that strangers and administrators write: parameters, escapes, hex, base64, PEM, targets, paths,
   header values, names, log lines. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/field.h"
#include "http/query.h"
#include "scep/route.h"
#include "x509/name.h"

static void decode_hex(struct bytes text)
{
    AUTO_BUF octets = { 0 }, again = { 0 }, twice = { 0 };
    if (!hex_decode(text, &octets))
        return;
    PROMISE(octets.len * 2 == text.len);
    hex_append(&again, buf_bytes(&octets));
    PROMISE(hex_decode(buf_bytes(&again), &twice) && bytes_equal(buf_bytes(&twice), buf_bytes(&octets)));
}

static void decode_base64(struct bytes text)
{
    AUTO_BUF strict = { 0 }, lenient = { 0 }, again = { 0 };
    bool plain = base64_decode(text, false, &strict), loose = base64_decode(text, true, &lenient);
    PROMISE(!plain || (loose && bytes_equal(buf_bytes(&strict), buf_bytes(&lenient))));
    if (!plain)
        return;
    base64_append(&again, buf_bytes(&strict));
    PROMISE(again.len >= text.len); /* padding may have been left out, nothing else */
    PROMISE(text.len == 0 || memcmp(again.data, text.data, text.len) == 0);
}

static void decode_pem(struct bytes text)
{
    AUTO_BUF der = { 0 };
    struct bytes rest;
    if (!pem_decode(text, "CERTIFICATE", &der, &rest))
        return;
    PROMISE(rest.len < text.len && der.len < text.len);
    AUTO_BUF again = { 0 }, twice = { 0 };
    pem_append(&again, "CERTIFICATE", buf_bytes(&der));
    PROMISE(pem_decode(buf_bytes(&again), "CERTIFICATE", &twice, NULL));
    PROMISE(bytes_equal(buf_bytes(&twice), buf_bytes(&der)));
}

static void read_query(struct bytes query)
{
    struct parameter parameter;
    size_t total = 0, count = 0;
    for (struct bytes rest = query; query_next(&rest, &parameter); count++) {
        AUTO_BUF value = { 0 };
        if (percent_decode(parameter.value, &value))
            PROMISE(value.len <= parameter.value.len);
        total += parameter.name.len + parameter.value.len;
    }
    PROMISE(total + count <= query.len + 1);
    AUTO_BUF message = { 0 };
    bool malformed;
    bool there = query_get(query, "message", &message, &malformed);
    PROMISE(!there || !malformed);
}

static void read_target(struct bytes text)
{
    struct target target;
    if (target_split(text, &target)) {
        PROMISE(target.path.len > 0 && target.path.data[0] == '/' && target.path.len <= text.len);
        read_query(target.query);
    }
    AUTO_STR path = route_normalise(text);
    PROMISE(!path || (path[0] == '/' && !strpbrk(path, "ABCXYZ\r\n")));
}

static void read_field(struct bytes value)
{
    size_t length;
    struct bytes trimmed = field_trim(value);
    PROMISE(trimmed.len <= value.len);
    if (field_length(value, &length))
        PROMISE(value.len > 0 && value.data[0] >= '0' && value.data[0] <= '9');
    (void)field_is_host(value);
    bool member = field_has_member(value, "close");
    PROMISE(!field_equals(trimmed, "close") || member);
}

static void read_name(struct bytes text)
{
    struct why why;
    AUTO_BUF name = { 0 }, shown = { 0 }, plain = { 0 };
    AUTO_STR copy = xstrndup((const char *)text.data, text.len);
    if (name_from_text(copy, &name, &why) != OK)
        return;
    PROMISE(name_check(buf_bytes(&name), &why) == OK);
    name_append_text(&shown, buf_bytes(&name));
    PROMISE(name_reencode(buf_bytes(&name), &plain, &why) != OK ||
            name_equal(buf_bytes(&plain), buf_bytes(&name)));
}

static void read_log(struct bytes text)
{
    char line[200];
    log_quote((const char *)text.data, text.len, line, sizeof(line));
    PROMISE(utf8_is_valid(bytes_str(line)) && !strchr(line, '\n') && !strchr(line, '"'));
    log_escape((const char *)text.data, text.len, line, sizeof(line));
    PROMISE(utf8_is_valid(bytes_str(line)) && !strchr(line, '\n') && !strchr(line, '\x1B'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes text = bytes_of(data, len);
    decode_hex(text);
    decode_base64(text);
    decode_pem(text);
    read_query(text);
    read_target(text);
    read_field(text);
    if (len)
        read_name(text);
    read_log(text);
    return 0;
}
