/* SPDX-License-Identifier: Apache-2.0 */
/* The table of members, and the way through it. */
#include "mdm/profile_json.h"

#include "base/fault.h"
#include "mdm/profile_field.h"

#define TRUSTED   (1u << PROFILE_TRUSTED)
#define SCEP      (1u << PROFILE_SCEP)
#define PKCS      (1u << PROFILE_PKCS)
#define IMPORTED  (1u << PROFILE_IMPORTED)
#define ALL       (TRUSTED | SCEP | PKCS | IMPORTED)
#define AT(field) .at = offsetof(struct profile, field)

#define TEXT_ROW(name_, types_, field, least_, most_)                                                        \
    {                                                                                                        \
        .name = (name_), .types = (types_), .form = &form_text, AT(field), .least = (least_),                \
        .most = (most_)                                                                                      \
    }
#define WORD_ROW(name_, types_, field, words_)                                                               \
    {                                                                                                        \
        .name = (name_), .types = (types_), .form = &form_word, AT(field), .words = &(words_)                \
    }
#define NUMBER_ROW(name_, types_, field, least_, most_)                                                      \
    {                                                                                                        \
        .name = (name_), .types = (types_), .form = &form_number, AT(field), .least = (least_),              \
        .most = (most_)                                                                                      \
    }
#define ROW(name_, types_, form_)                                                                            \
    {                                                                                                        \
        .name = (name_), .types = (types_), .form = &(form_)                                                 \
    }

/* In the order of taking: what a later row is judged by stands before it. */
static const struct profile_field fields[] = {
    TEXT_ROW("name", ALL, name, 1, LIMIT_PROFILE_NAME_BYTES),
    TEXT_ROW("description", ALL, description, 0, LIMIT_PROFILE_TEXT_BYTES),
    WORD_ROW("type", ALL, type, profile_type_words),
    WORD_ROW("platform", ALL, platform, platform_words),
    ROW("certificate", TRUSTED, form_certificate),
    WORD_ROW("destination_store", TRUSTED, store, destination_store_words),
    WORD_ROW("certificate_type", SCEP | PKCS, kind, certificate_kind_words),
    WORD_ROW("subject_name_format", SCEP | PKCS, subject_kind, subject_kind_words),
    TEXT_ROW("subject_name", SCEP | PKCS, subject, 1, LIMIT_PROFILE_TEXT_BYTES),
    ROW("subject_alternative_names", SCEP | PKCS, form_sans),
    ROW("validity_period", SCEP | PKCS, form_validity),
    WORD_ROW("key_storage_provider", SCEP | PKCS | IMPORTED, key_storage, key_storage_words),
    ROW("key_usage", SCEP, form_key_usage),
    NUMBER_ROW("key_size", SCEP, key_size, 1024, 4096),
    WORD_ROW("hash_algorithm", SCEP, hash, profile_hash_words),
    TEXT_ROW("root_certificate", SCEP | PKCS, root_certificate, 1, LIMIT_PROFILE_NAME_BYTES),
    ROW("extended_key_usage", SCEP | PKCS, form_purposes),
    NUMBER_ROW("renewal_threshold", SCEP | PKCS, renewal_threshold, 1, 99),
    ROW("scep_server_urls", SCEP, form_urls),
    TEXT_ROW("certification_authority", PKCS, authority, 1, LIMIT_PROFILE_NAME_BYTES),
    TEXT_ROW("certification_authority_name", PKCS, authority_name, 1, LIMIT_PROFILE_NAME_BYTES),
    TEXT_ROW("certificate_template_name", PKCS, template_name, 1, LIMIT_PROFILE_NAME_BYTES),
    { .name = "allow_all_apps_access", .types = PKCS, .form = &form_flag, AT(all_apps) },
    WORD_ROW("intended_purpose", IMPORTED, intended_purpose, intended_purpose_words),
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static const struct profile_field *field_find(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static void append_types(struct buf *out, unsigned types)
{
    const char *names[PROFILE_TYPE_COUNT];
    struct words words = { names, 0 };
    for (int i = 0; i < PROFILE_TYPE_COUNT; i++)
        if (types & 1u << i)
            names[words.count++] = word_name(&profile_type_words, i);
    words_append(out, &words);
}

/* A member that the profile cannot have. Where its type is not known, only what no type has. */
static void judge_key(struct profile_reading *reading, const char *key, const json_t *value)
{
    const struct profile_field *field = field_find(key);
    enum profile_type type = reading->profile->type;
    AUTO_BUF text = { 0 }, types = { 0 };
    json_text_append(&text, value);
    if (!field && !FAULT(profile_unknown)) {
        problem_add(reading->problems, key, buf_bytes(&text), "no such setting");
        return;
    }
    if (!field || type == PROFILE_NONE || (field->types & 1u << type))
        return;
    append_types(&types, field->types);
    problem_add(reading->problems, key, buf_bytes(&text), "a setting of %s, this profile is of type %s",
                buf_text(&types), word_name(&profile_type_words, (int)type));
}

static void take_object(struct profile_reading *reading, json_t *object)
{
    const char *key;
    json_t *value;
    for (size_t i = 0; i < FIELDS; i++) {
        bool has = reading->profile->type == PROFILE_NONE || (fields[i].types & 1u << reading->profile->type);
        value = json_object_get(object, fields[i].name);
        if (value && has)
            fields[i].form->take(reading, &fields[i], value);
    }
    json_object_foreach(object, key, value) judge_key(reading, key, value);
}

void profile_json_take(struct bytes text, struct profile *out, struct problems *problems)
{
    struct profile_reading reading = { out, problems };
    struct why why;
    AUTO_JSON document = NULL;
    if (json_text_read(text, LIMIT_PROFILE_BYTES, &document, &why) != OK)
        problem_add(problems, "$", BYTES_NONE, "%s", why.text);
    else if (!json_is_object(document))
        problem_add(problems, "$", BYTES_NONE, "a profile is a JSON object");
    else
        take_object(&reading, document);
}

void profile_json_append(struct buf *out, const struct profile *profile)
{
    AUTO_JSON document = json_object();
    for (size_t i = 0; i < FIELDS; i++) {
        json_t *value = NULL;
        if (fields[i].types & 1u << profile->type)
            value = fields[i].form->give(&fields[i], profile);
        if (value)
            json_object_set_new(document, fields[i].name, value);
    }
    char *text = json_dumps(document, JSON_INDENT(2));
    buf_append_str(out, text);
    buf_append_byte(out, '\n');
    free(text);
}
