/* SPDX-License-Identifier: Apache-2.0 */
/* A loaded configuration: its sections, the lookups, and the slice that a role keeps. */
#include "config/internal.h"

static size_t row_count(const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < option_count(); i++)
        count += strcmp(option_at(i)->section, kind) == 0;
    return count;
}

void section_init(struct config_section *section, const char *kind, const char *title, int line)
{
    *section = (struct config_section){
        .kind = kind, .title = xstrdup(title), .line = line, .present = true, .value_count = row_count(kind)
    };
    section->values = xcalloc(section->value_count, sizeof(*section->values));
    size_t next = 0;
    for (size_t i = 0; i < option_count(); i++) {
        if (strcmp(option_at(i)->section, kind) != 0)
            continue;
        section->values[next].row = option_at(i);
        value_set_default(&section->values[next++]);
    }
}

void section_clear(struct config_section *section)
{
    for (size_t i = 0; i < section->value_count; i++)
        value_clear(&section->values[i]);
    free(section->values);
    free(section->title);
    *section = (struct config_section){ 0 };
}

struct config_value *section_value(const struct config_section *section, const char *option)
{
    for (size_t i = 0; i < section->value_count; i++) {
        if (strcmp(section->values[i].row->name, option) == 0)
            return &section->values[i];
    }
    return NULL;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->section_count; i++)
        section_clear(&config->sections[i]);
    free(config->sections);
    section_clear(&config->top);
    free(config->path);
    free(config);
}

static bool role_owns(const char *owners, const char *role)
{
    return *owners == '\0' || words_contain(owners, role);
}

static void section_keep(struct config_section *section, const char *role)
{
    size_t kept = 0;
    for (size_t i = 0; i < section->value_count; i++) {
        if (role_owns(section->values[i].row->owners, role))
            section->values[kept++] = section->values[i];
        else
            value_clear(&section->values[i]);
    }
    section->value_count = kept;
}

static const char *section_owners(const char *kind)
{
    for (size_t i = 0; i < section_row_count(); i++) {
        if (strcmp(section_row_at(i)->name, kind) == 0)
            return section_row_at(i)->owners;
    }
    return "";
}

void config_keep(struct config *config, const char *role)
{
    size_t kept = 0;
    for (size_t i = 0; i < config->section_count; i++) {
        if (!role_owns(section_owners(config->sections[i].kind), role)) {
            section_clear(&config->sections[i]);
            continue;
        }
        config->sections[kept] = config->sections[i];
        section_keep(&config->sections[kept++], role);
    }
    config->section_count = kept;
    section_keep(&config->top, role);
}

const char *config_path(const struct config *config)
{
    return config->path;
}

const struct config_section *config_top(const struct config *config)
{
    return &config->top;
}

size_t config_count(const struct config *config, const char *section)
{
    size_t count = 0;
    for (size_t i = 0; i < config->section_count; i++)
        count += strcmp(config->sections[i].kind, section) == 0;
    return count;
}

const struct config_section *config_at(const struct config *config, const char *section, size_t index)
{
    for (size_t i = 0; i < config->section_count; i++) {
        if (strcmp(config->sections[i].kind, section) == 0 && index-- == 0)
            return &config->sections[i];
    }
    return NULL;
}

const struct config_section *config_find(const struct config *config, const char *section, const char *title)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *each = &config->sections[i];
        if (strcmp(each->kind, section) == 0 && strcmp(each->title, title) == 0)
            return each;
    }
    return NULL;
}

const char *config_title(const struct config_section *section)
{
    return section->title;
}

/* A name that the table lacks, or that this role does not keep, is our own bug. */
static const struct config_value *value_of(const struct config_section *section, const char *option)
{
    const struct config_value *value = section ? section_value(section, option) : NULL;
    if (!value)
        die("no option %s in section \"%s\" of this role's configuration", option,
            section ? section->kind : "(none)");
    return value;
}

static const struct config_value *value_of_type(const struct config_section *section, const char *option,
                                                enum option_type type)
{
    const struct config_value *value = value_of(section, option);
    bool text = type == OPTION_STR && value->row->type == OPTION_ENUM;
    if (value->row->type != type && !text)
        die("option %s is not of type %s", option, option_type_name(type));
    return value;
}

const char *config_str(const struct config_section *section, const char *option)
{
    return value_of_type(section, option, OPTION_STR)->texts[0];
}

int64_t config_int(const struct config_section *section, const char *option)
{
    return value_of_type(section, option, OPTION_INT)->number;
}

bool config_bool(const struct config_section *section, const char *option)
{
    return value_of_type(section, option, OPTION_BOOL)->number != 0;
}

size_t config_list_count(const struct config_section *section, const char *option)
{
    return value_of_type(section, option, OPTION_LIST)->count;
}

const char *config_list_at(const struct config_section *section, const char *option, size_t index)
{
    const struct config_value *value = value_of_type(section, option, OPTION_LIST);
    return index < value->count ? value->texts[index] : NULL;
}

bool config_is_set(const struct config_section *section, const char *option)
{
    return value_of(section, option)->set;
}

int config_line(const struct config_section *section, const char *option)
{
    return value_of(section, option)->line;
}

static char *path_under(const struct config *config, const char *folder, const char *role, const char *file)
{
    return xasprintf("%s/%s/%s", config_str(&config->top, folder), role, file);
}

char *config_role_path(const struct config *config, const char *role, const char *file)
{
    return path_under(config, "state_dir", role, file);
}

char *config_secret_path(const struct config *config, const char *role, const char *file)
{
    return xasprintf("%s/secrets/%s/%s", config_str(&config->top, "etc_dir"), role, file);
}

char *config_log_path(const struct config *config, const char *role, const char *file)
{
    return path_under(config, "log_dir", role, file);
}

char *config_socket_path(const struct config *config, const char *server, const char *client)
{
    return xasprintf("%s/%s-%s/socket", config_str(&config->top, "run_dir"), server, client);
}
