/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between the options of a directory section: what may be asked of which server, and that nobody can listen. */
#include "base/fault.h"
#include "base/limits.h"
#include "config/internal.h"

#include <ctype.h>
#include <stdlib.h>

static enum err refuse(const struct config *config, const struct config_section *directory,
                       const char *option, const char *got, const char *rule, struct why *why)
{
    int line = config_is_set(directory, option) ? config_line(directory, option) : directory->line;
    return fail(why, ERR_CONFIG, "%s:%d: directory \"%s\": option %s has \"%.80s\"; allowed is %s",
                config->path, line, directory->title, option, got, rule);
}

/* The host of ldap://HOST[:PORT], without brackets; NULL: it is no such URL. */
static char *host_of(const char *url, size_t scheme)
{
    const char *host = url + scheme;
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (len > strlen(host) || len == 0)
        return NULL;
    const char *rest = host + len;
    if (*rest == ':') {
        size_t digits = strspn(rest + 1, "0123456789");
        long port = digits && digits <= 5 ? strtol(rest + 1, NULL, 10) : 0;
        if (port < 1 || port > 65535)
            return NULL;
        rest += 1 + digits;
    }
    bool plain = !*rest || (*rest == '/' && !rest[1]);
    for (size_t i = 0; plain && i < len; i++)
        plain = isalnum((unsigned char)host[i]) || strchr(".-_[]:", host[i]);
    if (!plain)
        return NULL;
    return *host == '[' ? xstrndup(host + 1, len - 2) : xstrndup(host, len);
}

static bool is_here(const char *host)
{
    bool numbers = strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host);
    return numbers || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static enum err check_url(const struct config *config, const struct config_section *directory,
                          const char *url, struct why *why)
{
    static const char *const rule = "ldaps://HOST[:PORT], ldap://HOST[:PORT] or ldapi://%2Fpath";
    if (strncmp(url, "ldapi://", 8) == 0)
        return strncmp(url + 8, "%2F", 3) == 0 || strncmp(url + 8, "%2f", 3) == 0
                   ? OK
                   : refuse(config, directory, "urls", url, rule, why);
    size_t scheme = strncmp(url, "ldaps://", 8) == 0 ? 8 : strncmp(url, "ldap://", 7) == 0 ? 7 : 0;
    AUTO_STR host = scheme ? host_of(url, scheme) : NULL;
    if (!host)
        return refuse(config, directory, "urls", url, rule, why);
    if (scheme == 7 && !config_bool(directory, "start_tls") && !is_here(host) && !FAULT(config_ldap_plain))
        return refuse(config, directory, "urls", url,
                      "ldaps://, or ldap:// with start_tls = true, to any host but this one: a password and "
                      "who is in which group would go in the clear",
                      why);
    return OK;
}

static bool filter_is_whole(const char *text)
{
    int open = 0;
    if (*text != '(')
        return false;
    for (; *text; text++) {
        open += (*text == '(') - (*text == ')');
        if (open == 0 && text[1]) /* behind its end */
            return false;
    }
    return open == 0;
}

static enum err check_filter(const struct config *config, const struct config_section *directory,
                             const char *option, struct why *why)
{
    const char *filter = config_str(directory, option);
    if (!*filter || filter_is_whole(filter))
        return OK;
    return refuse(config, directory, option, filter, "one LDAP filter as (objectClass=person) (RFC 4515)",
                  why);
}

static bool attribute_is_name(const char *text, size_t len)
{
    bool good = len > 0 && len <= 64 && isalpha((unsigned char)*text);
    for (size_t i = 0; good && i < len; i++)
        good = isalnum((unsigned char)text[i]) || text[i] == '-' || text[i] == '_';
    return good;
}

static enum err check_attributes(const struct config *config, const struct config_section *directory,
                                 const char *option, struct why *why)
{
    if (config_list_count(directory, option) > LIMIT_LDAP_NAMES)
        return refuse(config, directory, option, config_list_at(directory, option, LIMIT_LDAP_NAMES),
                      "8 names of attributes", why);
    for (size_t i = 0; i < config_list_count(directory, option); i++) {
        const char *name = config_list_at(directory, option, i);
        if (!attribute_is_name(name, strlen(name)))
            return refuse(config, directory, option, name, "the name of an LDAP attribute", why);
    }
    return OK;
}

static enum err check_disabled(const struct config *config, const struct config_section *directory,
                               struct why *why)
{
    const char *text = config_str(directory, "disabled");
    size_t len = strcspn(text, "=&");
    size_t bits = text[len] == '&' ? strspn(text + len + 1, "0123456789") : 0;
    bool good = attribute_is_name(text, len) && (text[len] != '=' || text[len + 1]) &&
                (text[len] != '&' || (bits >= 1 && bits <= 9 && !text[len + 1 + bits]));
    return !*text || good ? OK
                          : refuse(config, directory, "disabled", text,
                                   "ATTRIBUTE, ATTRIBUTE=VALUE, ATTRIBUTE&BITS or none", why);
}

enum err check_directory(const struct config *config, const struct config_section *directory, struct why *why)
{
    static const char *const lists[] = { "upn", "name", "email", "sam_name", "group_name", "group_member" };
    if (!config_is_set(directory, "schema"))
        return refuse(config, directory, "schema", "", "openldap or ad", why);
    if (config_list_count(directory, "urls") == 0)
        return refuse(config, directory, "urls", "", "one URL or more, as ldaps://ldap.example.org", why);
    for (size_t i = 0; i < config_list_count(directory, "urls"); i++)
        TRY(check_url(config, directory, config_list_at(directory, "urls", i), why));
    if (!*config_str(directory, "base"))
        return refuse(config, directory, "base", "", "a distinguished name as dc=example,dc=org", why);
    if (config_str(directory, "ca_file")[0] != '/')
        return refuse(config, directory, "ca_file", config_str(directory, "ca_file"), "an absolute path",
                      why);
    TRY(check_filter(config, directory, "user_filter", why));
    TRY(check_filter(config, directory, "group_filter", why));
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        TRY(check_attributes(config, directory, lists[i], why));
    return check_disabled(config, directory, why);
}
