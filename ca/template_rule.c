/* SPDX-License-Identifier: Apache-2.0 */
/* The subject and name rules of templates: reading their text, and judging a subject and its names part by part. */
#include "base/fault.h"
#include "base/limits.h"
#include "ca/template.h"
#include "x509/name.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#define SID_URI "tag:microsoft.com,2022-09-14:sid:"

void template_rules_free(struct template_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        buf_free(&rules->rules[i].oid);
        free(rules->rules[i].like);
    }
    *rules = (struct template_rules){ 0 };
}

static bool kind_is_known(const char *kind, bool names, struct buf *oid)
{
    static const char *const name_kinds[] = { "dns", "email", "uri", "ip", "upn" };
    if (!names) {
        enum oid known = oid_by_name(kind);
        if (known != OID_UNKNOWN)
            buf_append(oid, oid_bytes(known));
        return known != OID_UNKNOWN || oid_from_dotted(kind, oid);
    }
    for (size_t i = 0; i < sizeof(name_kinds) / sizeof(*name_kinds); i++) {
        if (strcmp(kind, name_kinds[i]) == 0)
            return true;
    }
    return false;
}

/* "KIND [required] [like PATTERN]"; the pattern is the rest of the line, spaces and all. */
static enum err rule_parse(char *line, bool names, struct template_rules *rules, struct why *why)
{
    const char *property = names ? "san_rule" : "subject_rule";
    if (!names && strcmp(line, "empty") == 0) {
        rules->allows_empty = true;
        return OK;
    }
    if (rules->count == TEMPLATE_RULES_MAX)
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s has more than %d lines", property, TEMPLATE_RULES_MAX);
    struct template_rule *rule = &rules->rules[rules->count++];
    char *rest = line, *kind = strsep(&rest, " ");
    if (strlen(kind) >= sizeof(rule->kind) || !kind_is_known(kind, names, &rule->oid))
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s: \"%s\" is no %s", property, kind,
                    names ? "kind of name" : "subject attribute");
    snprintf(rule->kind, sizeof(rule->kind), "%s", kind);
    if (rest && strncmp(rest, "required", 8) == 0 && (rest[8] == '\0' || rest[8] == ' ')) {
        rule->required = true;
        rest = rest[8] ? rest + 9 : NULL;
    }
    if (!rest)
        return OK;
    if (strncmp(rest, "like ", 5) != 0 || !rest[5])
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s: after %s: \"%s\", wanted: like PATTERN", property, kind,
                    rest);
    rule->like = xstrdup(rest + 5);
    return OK;
}

enum err template_rules_parse(const char *text, bool names, struct template_rules *ret, struct why *why)
{
    AUTO_STR lines = xstrdup(text);
    char *rest = lines;
    struct template_rules rules = { 0 };
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        enum err err = *line ? rule_parse(line, names, &rules, why) : OK;
        if (err != OK) {
            template_rules_free(&rules);
            return err;
        }
    }
    *ret = rules;
    return OK;
}

/* Greedy with one point to come back to: linear for the patterns people write, never worse than length × length. */
bool pattern_matches(const char *pattern, struct bytes text)
{
    const char *star = NULL;
    size_t at = 0, star_at = 0;
    while (at < text.len) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern == '?' || (*pattern && (uint8_t)*pattern == text.data[at])) {
            bool any = *pattern++ == '?';
            at++;
            while (any && at < text.len && (text.data[at] & 0xC0) == 0x80)
                at++; /* one character may be several octets */
        } else if (star) {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* Marks each rule that the value satisfies; false when none does. */
static bool rules_allow(const struct template_rules *rules,
                        bool (*same)(const struct template_rule *, const void *), const void *what,
                        struct bytes value, bool *met)
{
    bool allowed = false;
    for (size_t i = 0; i < rules->count; i++) {
        const struct template_rule *rule = &rules->rules[i];
        if (same(rule, what) && (!rule->like || pattern_matches(rule->like, value)))
            allowed = met[i] = true;
    }
    return allowed;
}

static const struct template_rule *rules_unmet(const struct template_rules *rules, const bool *met)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].required && !met[i])
            return &rules->rules[i];
    }
    return NULL;
}

static bool same_attribute(const struct template_rule *rule, const void *what)
{
    return bytes_equal(buf_bytes(&rule->oid), ((const struct name_attribute *)what)->oid);
}

enum err template_subject(const struct template *template, struct bytes subject, struct buf *ret,
                          struct why *why)
{
    TRY(name_check(subject, why));
    bool met[TEMPLATE_RULES_MAX] = { false };
    struct name_reader in = name_reader_over(subject);
    struct name_attribute part;
    while (name_next(&in, &part)) {
        AUTO_BUF value = { 0 }, dotted = { 0 };
        oid_append_dotted(&dotted, part.oid);
        if (!name_value_utf8(&part, &value))
            return fail(why, ERR_TEMPLATE_SUBJECT, "subject attribute %s is not a readable string",
                        buf_text(&dotted));
        if (!rules_allow(&template->subject, same_attribute, &part, buf_bytes(&value), met) &&
            !FAULT(template_subject))
            return fail(why, ERR_TEMPLATE_SUBJECT,
                        "template %s does not allow %s (%s) = \"%s\" in the subject", template->name,
                        oid_name(oid_find(part.oid)), buf_text(&dotted), buf_text(&value));
    }
    const struct template_rule *missing = rules_unmet(&template->subject, met);
    if (name_is_empty(subject) && !template->subject.allows_empty)
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject is empty, which template %s does not allow",
                    template->name);
    if (!FAULT(template_required) && missing && !(name_is_empty(subject) && template->subject.allows_empty))
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject has no %s%s%s, which template %s requires",
                    missing->kind, missing->like ? " like " : "", missing->like ? missing->like : "",
                    template->name);
    return name_reencode(subject, ret, why);
}

static bool same_kind(const struct template_rule *rule, const void *what)
{
    return strcmp(rule->kind, what) == 0;
}

/* What a pattern sees of an IP address: its text. */
static void ip_text(struct bytes value, struct buf *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(value.len == 4 ? AF_INET : AF_INET6, value.data, text, sizeof(text));
    buf_append_str(out, text);
}

static bool is_upn(const struct san_name *name)
{
    return name->kind == SAN_OTHER && oid_is(name->other_type, OID_MS_UPN) &&
           name->other_tag == DER_UTF8_STRING && utf8_is_valid(name->value);
}

/* RFC 3986 6.2.2: scheme and authority compare without case, and %-escapes stand for what they escape. So the SID of
   spec security.md C3 is looked for without case, and an escape inside a tag: URI is refused altogether. */
static bool carries_sid(struct bytes uri)
{
    size_t scheme = strlen("tag:");
    if (uri.len < scheme || strncasecmp((const char *)uri.data, "tag:", scheme) != 0)
        return false;
    return memchr(uri.data, '%', uri.len) ||
           (uri.len >= strlen(SID_URI) && strncasecmp((const char *)uri.data, SID_URI, strlen(SID_URI)) == 0);
}

/* spec security.md C3: of the SID somebody must have a record, and the template must mean SIDs, not any URI. */
static bool sid_is_named(const struct template_rules *rules, struct bytes uri)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct template_rule *rule = &rules->rules[i];
        if (strcmp(rule->kind, "uri") == 0 && rule->like && carries_sid(bytes_str(rule->like)) &&
            pattern_matches(rule->like, uri) && !memchr(uri.data, '%', uri.len))
            return true;
    }
    return false;
}

struct names_out {
    struct buf names;
    bool met[TEMPLATE_RULES_MAX];
    bool vouched;
};

static enum err name_allow(const struct template *template, const struct san_name *name,
                           struct names_out *out, struct why *why)
{
    const char *kind = is_upn(name) ? "upn" : san_kind_name(name->kind);
    bool writable = is_upn(name) || name->kind == SAN_EMAIL || name->kind == SAN_DNS ||
                    name->kind == SAN_URI || name->kind == SAN_IP;
    AUTO_BUF text = { 0 };
    if (name->kind == SAN_IP)
        ip_text(name->value, &text);
    else
        buf_append(&text, name->value);
    /* One name that stands for all: no pattern of a template, which a wildcard would match, means to give that away. */
    if (!FAULT(template_wildcard) && name->kind == SAN_DNS && name->value.len && name->value.data[0] == '*')
        return fail(why, ERR_TEMPLATE_SAN, "the wildcard name %.*s is never taken from a request",
                    (int)name->value.len, (const char *)name->value.data);
    if (!writable)
        return fail(why, ERR_TEMPLATE_SAN, "a name of the kind %s is never taken from a request", kind);
    if (!FAULT(template_sid_uri) && name->kind == SAN_URI && carries_sid(name->value) &&
        !(out->vouched && sid_is_named(&template->san, name->value)))
        return fail(why, ERR_TEMPLATE_SAN, "the URI %s carries a SID, which is never taken from a request",
                    buf_text(&text));
    if (!rules_allow(&template->san, same_kind, kind, buf_bytes(&text), out->met) && !FAULT(template_names))
        return fail(why, ERR_TEMPLATE_SAN, "template %s does not allow the name %s:%s", template->name, kind,
                    buf_text(&text));
    if (name->kind == SAN_OTHER)
        san_put_upn(&out->names, name->value);
    else
        san_put(&out->names, name->kind, name->value);
    return OK;
}

static enum err names_allow(const struct template *template, struct bytes san, struct names_out *out,
                            struct why *why)
{
    struct san_name name;
    if (san.len) {
        TRY(san_check(san, why));
        struct der_reader in = san_reader_over(san);
        while (san_next(&in, &name))
            TRY(name_allow(template, &name, out, why));
    }
    const struct template_rule *missing = rules_unmet(&template->san, out->met);
    if (missing)
        return fail(why, ERR_TEMPLATE_SAN, "there is no name of the kind %s%s%s, which template %s requires",
                    missing->kind, missing->like ? " like " : "", missing->like ? missing->like : "",
                    template->name);
    return OK;
}

enum err template_names(const struct template *template, const struct template_asked *asked, struct buf *ret,
                        struct why *why)
{
    struct names_out out = { .vouched = asked->vouched };
    enum err err = names_allow(template, asked->san, &out, why);
    AUTO_BUF names = TAKE_BUF(out.names), whole = { 0 };
    if (err != OK)
        return err;
    if (names.len)
        der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    *ret = TAKE_BUF(whole);
    return OK;
}
