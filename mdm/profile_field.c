/* SPDX-License-Identifier: Apache-2.0 */
/* How each form of member is taken and given. */
#include "mdm/profile_field.h"

#include "base/encode.h"
#include "x509/extension.h"
#include "x509/text.h"

static void *place(const struct profile_field *field, struct profile *profile)
{
    return (char *)profile + field->at;
}

static const void *place_of(const struct profile_field *field, const struct profile *profile)
{
    return (const char *)profile + field->at;
}

static struct bytes string_of(const json_t *value)
{
    return bytes_of(json_string_value(value), json_string_length(value));
}

/* What is there is no string and so on: shown as JSON. */
static void refuse(struct profile_reading *reading, const char *path, const json_t *value, const char *rule)
{
    AUTO_BUF text = { 0 };
    json_text_append(&text, value);
    problem_add(reading->problems, path, buf_bytes(&text), "%s", rule);
}

/* --- texts --- */

/* Line ends are fine in what only people read. */
static bool is_clean(struct bytes text, bool lines)
{
    AUTO_BUF flat = buf_dup(text);
    for (size_t i = 0; lines && i < flat.len; i++)
        if (flat.data[i] == '\n')
            flat.data[i] = ' ';
    return text_is_clean(buf_bytes(&flat));
}

/* Of `least` to `most` octets. NULL after a problem. */
static char *text_take(struct profile_reading *reading, const char *path, const json_t *value,
                       const struct profile_field *bounds)
{
    if (!json_is_string(value)) {
        refuse(reading, path, value, "must be a string");
        return NULL;
    }
    struct bytes text = string_of(value);
    if (text.len < (size_t)bounds->least || text.len > (size_t)bounds->most) {
        problem_add(reading->problems, path, text, "%zu octets, allowed are %lld to %lld", text.len,
                    (long long)bounds->least, (long long)bounds->most);
        return NULL;
    }
    if (!is_clean(text, bounds->least == 0)) {
        problem_add(reading->problems, path, text, "must have no control characters");
        return NULL;
    }
    return xstrndup((const char *)text.data, text.len);
}

static void take_text(struct profile_reading *reading, const struct profile_field *field, const json_t *value)
{
    *(char **)place(field, reading->profile) = text_take(reading, field->name, value, field);
}

static json_t *give_text(const struct profile_field *field, const struct profile *profile)
{
    const char *text = *(char *const *)place_of(field, profile);
    return text ? json_string(text) : NULL;
}

const struct profile_form form_text = { take_text, give_text };

/* --- words, numbers, flags --- */

static int word_take(struct profile_reading *reading, const char *path, const json_t *value,
                     const struct words *words)
{
    int found = json_is_string(value) ? word_find(words, string_of(value)) : -1;
    AUTO_BUF rule = { 0 };
    if (found >= 0)
        return found;
    buf_append_str(&rule, "must be ");
    words_append(&rule, words);
    if (json_is_string(value))
        problem_add(reading->problems, path, string_of(value), "%s", buf_text(&rule));
    else
        refuse(reading, path, value, buf_text(&rule));
    return 0;
}

static void take_word(struct profile_reading *reading, const struct profile_field *field, const json_t *value)
{
    *(int *)place(field, reading->profile) = word_take(reading, field->name, value, field->words);
}

static json_t *give_word(const struct profile_field *field, const struct profile *profile)
{
    int value = *(const int *)place_of(field, profile);
    return value ? json_string(word_name(field->words, value)) : NULL;
}

const struct profile_form form_word = { take_word, give_word };

static int64_t number_take(struct profile_reading *reading, const char *path, const json_t *value,
                           int64_t least, int64_t most)
{
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= least && number <= most)
        return number;
    AUTO_STR rule = xasprintf("must be a whole number, %lld to %lld", (long long)least, (long long)most);
    refuse(reading, path, value, rule);
    return 0;
}

static void take_number(struct profile_reading *reading, const struct profile_field *field,
                        const json_t *value)
{
    *(int64_t *)place(field, reading->profile) =
        number_take(reading, field->name, value, field->least, field->most);
}

static json_t *give_number(const struct profile_field *field, const struct profile *profile)
{
    int64_t value = *(const int64_t *)place_of(field, profile);
    return value ? json_integer(value) : NULL;
}

const struct profile_form form_number = { take_number, give_number };

static void take_flag(struct profile_reading *reading, const struct profile_field *field, const json_t *value)
{
    if (!json_is_boolean(value))
        refuse(reading, field->name, value, "must be true or false");
    *(bool *)place(field, reading->profile) = json_is_true(value);
}

static json_t *give_flag(const struct profile_field *field, const struct profile *profile)
{
    return *(const bool *)place_of(field, profile) ? json_true() : NULL;
}

const struct profile_form form_flag = { take_flag, give_flag };

/* --- a certificate: PEM, or the base64 of a .cer file, which has DER or PEM --- */

static bool pem_take(struct bytes text, struct buf *ret)
{
    AUTO_BUF second = { 0 };
    struct bytes rest;
    if (!pem_decode(text, "CERTIFICATE", ret, &rest))
        return false;
    if (!pem_decode(rest, "CERTIFICATE", &second, NULL))
        return true;
    buf_free(ret);
    return false;
}

static bool is_pem(struct bytes text)
{
    static const char begin[] = "-----BEGIN ";
    return text.data && memmem(text.data, text.len, begin, sizeof(begin) - 1);
}

static void take_certificate(struct profile_reading *reading, const struct profile_field *field,
                             const json_t *value)
{
    AUTO_BUF file = { 0 };
    struct buf *out = &reading->profile->certificate;
    struct bytes text = json_is_string(value) ? string_of(value) : BYTES_NONE;
    bool taken = is_pem(text) ? pem_take(text, out) : text.len && base64_decode(text, true, &file);
    if (taken && file.len && !is_pem(buf_bytes(&file)))
        *out = TAKE_BUF(file);
    else if (taken && file.len)
        taken = pem_take(buf_bytes(&file), out);
    if (!taken || out->len == 0)
        refuse(reading, field->name, value,
               "must be one certificate, as PEM or as the base64 of a .cer file");
}

static json_t *give_certificate(const struct profile_field *field, const struct profile *profile)
{
    (void)field;
    return profile->certificate.len ? json_base64(buf_bytes(&profile->certificate)) : NULL;
}

const struct profile_form form_certificate = { take_certificate, give_certificate };

/* --- lists --- */

/* An array of at most `most` values; 0 after a problem. */
static size_t list_take(struct profile_reading *reading, const char *path, const json_t *value, size_t most)
{
    if (!json_is_array(value)) {
        refuse(reading, path, value, "must be an array");
        return 0;
    }
    size_t count = json_array_size(value);
    if (count <= most)
        return count;
    AUTO_STR rule = xasprintf("%zu of them, at most %zu", count, most);
    refuse(reading, path, value, rule);
    return 0;
}

static void take_sans(struct profile_reading *reading, const struct profile_field *field, const json_t *value)
{
    static const struct profile_field bounds = { .least = 1, .most = LIMIT_PROFILE_TEXT_BYTES };
    struct profile *profile = reading->profile;
    struct scope scope = profile_scope(profile);
    size_t count = list_take(reading, field->name, value, LIMIT_PROFILE_SANS);
    for (size_t i = 0; i < count; i++) {
        struct why why;
        AUTO_STR path = xasprintf("%s[%zu]", field->name, i);
        AUTO_STR text = text_take(reading, path, json_array_get(value, i), &bounds);
        if (!text || scope.kind == CERTIFICATE_NONE)
            continue; /* without a kind nobody knows what a row has to look like; that it is missing is said */
        if (san_row_parse(bytes_str(text), &scope, &profile->sans[profile->san_count], &why) == OK)
            profile->san_count++;
        else
            problem_add(reading->problems, path, bytes_str(text), "%s", why.text);
    }
}

static json_t *give_sans(const struct profile_field *field, const struct profile *profile)
{
    json_t *list = profile->san_count ? json_array() : NULL;
    (void)field;
    for (size_t i = 0; i < profile->san_count; i++) {
        AUTO_BUF text = { 0 };
        san_row_append(&text, &profile->sans[i]);
        json_array_append_new(list, json_string(buf_text(&text)));
    }
    return list;
}

const struct profile_form form_sans = { take_sans, give_sans };

static void take_urls(struct profile_reading *reading, const struct profile_field *field, const json_t *value)
{
    static const struct profile_field bounds = { .least = 1, .most = LIMIT_PROFILE_TEXT_BYTES };
    struct profile *profile = reading->profile;
    size_t count = list_take(reading, field->name, value, LIMIT_PROFILE_URLS);
    for (size_t i = 0; i < count; i++) {
        AUTO_STR path = xasprintf("%s[%zu]", field->name, i);
        char *url = text_take(reading, path, json_array_get(value, i), &bounds);
        if (url)
            profile->urls[profile->url_count++] = url;
    }
}

static json_t *give_urls(const struct profile_field *field, const struct profile *profile)
{
    json_t *list = profile->url_count ? json_array() : NULL;
    (void)field;
    for (size_t i = 0; i < profile->url_count; i++)
        json_array_append_new(list, json_string(profile->urls[i]));
    return list;
}

const struct profile_form form_urls = { take_urls, give_urls };

/* The names are RFC 5280's; those that a profile may have are for the check. */
static void take_key_usage(struct profile_reading *reading, const struct profile_field *field,
                           const json_t *value)
{
    size_t count = list_take(reading, field->name, value, 9);
    for (size_t i = 0; i < count; i++) {
        uint16_t bit = 0;
        AUTO_STR path = xasprintf("%s[%zu]", field->name, i);
        const json_t *one = json_array_get(value, i);
        if (!json_is_string(one) || !key_usage_by_name(json_string_value(one), &bit))
            refuse(reading, path, one, "must be digitalSignature or keyEncipherment");
        else if (reading->profile->key_usage & bit)
            refuse(reading, path, one, "is there twice");
        reading->profile->key_usage |= bit;
    }
}

static json_t *give_key_usage(const struct profile_field *field, const struct profile *profile)
{
    json_t *list = profile->key_usage ? json_array() : NULL;
    (void)field;
    for (uint16_t bit = 1; bit && list; bit = (uint16_t)(bit << 1)) {
        AUTO_BUF name = { 0 };
        if (!(profile->key_usage & bit))
            continue;
        key_usage_append_text(&name, bit);
        json_array_append_new(list, json_string(buf_text(&name)));
    }
    return list;
}

const struct profile_form form_key_usage = { take_key_usage, give_key_usage };

/* --- objects --- */

/* Nothing beside these two members, which both have to be there. */
static bool pair_take(struct profile_reading *reading, const char *path, const json_t *value,
                      const char *const names[2])
{
    const json_t *first = json_object_get(value, names[0]), *second = json_object_get(value, names[1]);
    if (first && second && json_object_size(value) == 2)
        return true;
    AUTO_STR rule = xasprintf("must be an object of \"%s\" and \"%s\"", names[0], names[1]);
    refuse(reading, path, value, rule);
    return false;
}

static void take_validity(struct profile_reading *reading, const struct profile_field *field,
                          const json_t *value)
{
    static const char *const names[2] = { "number", "unit" };
    struct validity_period *period = &reading->profile->validity;
    if (!pair_take(reading, field->name, value, names))
        return;
    AUTO_STR number_path = xasprintf("%s.number", field->name);
    AUTO_STR unit_path = xasprintf("%s.unit", field->name);
    period->number =
        number_take(reading, number_path, json_object_get(value, "number"), 1, PROFILE_VALIDITY_MOST);
    period->unit = (enum validity_unit)word_take(reading, unit_path, json_object_get(value, "unit"),
                                                 &validity_unit_words);
}

static json_t *give_validity(const struct profile_field *field, const struct profile *profile)
{
    const struct validity_period *period = &profile->validity;
    (void)field;
    if (period->unit == UNIT_NONE)
        return NULL;
    return json_pack("{s:I, s:s}", "number", (json_int_t)period->number, "unit",
                     word_name(&validity_unit_words, (int)period->unit));
}

const struct profile_form form_validity = { take_validity, give_validity };

static void take_purpose(struct profile_reading *reading, const char *path, const json_t *value)
{
    static const char *const names[2] = { "name", "oid" };
    static const struct profile_field bounds = { .least = 1, .most = LIMIT_PROFILE_NAME_BYTES };
    struct profile *profile = reading->profile;
    if (!pair_take(reading, path, value, names))
        return;
    AUTO_STR name_path = xasprintf("%s.name", path);
    AUTO_STR oid_path = xasprintf("%s.oid", path);
    AUTO_STR name = text_take(reading, name_path, json_object_get(value, "name"), &bounds);
    AUTO_STR oid = text_take(reading, oid_path, json_object_get(value, "oid"), &bounds);
    if (name && oid)
        profile->purposes[profile->purpose_count++] = (struct key_purpose){ TAKE(name), TAKE(oid) };
}

static void take_purposes(struct profile_reading *reading, const struct profile_field *field,
                          const json_t *value)
{
    size_t count = list_take(reading, field->name, value, LIMIT_PROFILE_PURPOSES);
    for (size_t i = 0; i < count; i++) {
        AUTO_STR path = xasprintf("%s[%zu]", field->name, i);
        take_purpose(reading, path, json_array_get(value, i));
    }
}

static json_t *give_purposes(const struct profile_field *field, const struct profile *profile)
{
    json_t *list = profile->purpose_count ? json_array() : NULL;
    (void)field;
    for (size_t i = 0; i < profile->purpose_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", profile->purposes[i].name, "oid",
                                              profile->purposes[i].oid));
    return list;
}

const struct profile_form form_purposes = { take_purposes, give_purposes };
