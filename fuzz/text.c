/* SPDX-License-Identifier: Apache-2.0 */
/* The small parsers of text that strangers and administrators write: parameters, escapes, hex, base64, PEM, targets, paths,
   header values, addresses, names, log lines. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/network.h"
#include "base/utf8.h"
#include "http/field.h"
#include "http/path.h"
#include "http/proxies.h"
#include "http/query.h"
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
    AUTO_STR path = path_normalise(text);
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

static void read_address(struct bytes text)
{
    struct address address, again;
    struct network network;
    char shown[ADDRESS_TEXT_BYTES];
    if (address_parse(text, &address)) {
        address_format(&address, shown);
        PROMISE(address_parse(bytes_str(shown), &again) && address_equal(&address, &again));
        again = address_holder(address);
        again = address_holder(again);
        address = address_holder(address);
        PROMISE(address_equal(&address, &again));
    }
    AUTO_STR copy = xstrndup((const char *)text.data, text.len);
    if (network_parse(copy, &network))
        PROMISE(network.bits <= 128 && network_contains(&network, &network.first));
}

/* Whatever the client wrote in front: the one whom our proxy names is the one who asked. */
static void read_forwarded(struct bytes list, enum proxy_header header, const char *named)
{
    static const char *const trusted[] = { "10.0.0.0/8", "2001:db8::/32" };
    struct why why;
    struct address proxy, expected;
    AUTO(proxies) proxies = NULL;
    AUTO_BUF whole = buf_dup(list);
    PROMISE(proxies_new(trusted, 2, header, &proxies, &why) == OK);
    PROMISE(address_parse(BYTES_LIT("10.0.0.1"), &proxy) && address_parse(BYTES_LIT("192.0.2.9"), &expected));
    (void)proxies_client(proxies, &proxy, list);
    buf_append_str(&whole, named);
    struct address client = proxies_client(proxies, &proxy, buf_bytes(&whole));
    PROMISE(address_equal(&client, &expected));
    client = proxies_client(proxies, &expected, list);
    PROMISE(address_equal(&client, &expected)); /* who is no proxy of ours names nobody */
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
    read_address(text);
    read_forwarded(text, PROXY_X_FORWARDED_FOR, ", 192.0.2.9");
    read_forwarded(text, PROXY_FORWARDED, ", for=\"192.0.2.9:1234\";proto=https");
    read_log(text);
    return 0;
}
