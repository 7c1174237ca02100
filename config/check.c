/* SPDX-License-Identifier: Apache-2.0 */
/* What no single row of the option table can say: rules between options, sections and the file itself. */
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/network.h"
#include "config/internal.h"

#include <strings.h>
#include <sys/stat.h>

#define SOCKET_PATH_MAX   107 /* sockaddr_un has 108 bytes with the final NUL */
#define ENDPOINT_PATH_MAX 255

/* Answered by the endpoint named default (spec scep.md); nobody else may claim them. */
static const char *const standard_paths[] = {
    "/certsrv/mscep",       "/certsrv/mscep/mscep.dll", "/certsrv/mscep/mscep.dll/pkiclient.exe",
    "/certsrv/mscep_admin", "/cgi-bin/pkiclient.exe",   "/scep",
    "/scep/pkiclient.exe"
};

static bool is_user_mode(const struct config *config)
{
    return strcmp(config_str(&config->top, "mode"), "user") == 0;
}

/* Whoever can write this file decides who gets certificates. */
static enum err check_file(const struct config *config, const struct stat *file, struct why *why)
{
    bool writable = file->st_mode & (S_IWGRP | S_IWOTH);
    if (is_user_mode(config)) {
        if (writable)
            log_warn(NULL, "%s has mode %03o: others than its owner can change it (chmod go-w)", config->path,
                     (unsigned)file->st_mode & 0777);
        return OK;
    }
    if (!FAULT(config_writable) && writable)
        return fail(why, ERR_CONFIG,
                    "%s has mode %03o; allowed is no writing by group and others (chmod go-w)", config->path,
                    (unsigned)file->st_mode & 0777);
    if (file->st_uid != 0)
        return fail(why, ERR_CONFIG, "%s belongs to uid %u; allowed is uid 0 (chown root), or mode = user",
                    config->path, (unsigned)file->st_uid);
    return OK;
}

static enum err check_folders(const struct config *config, struct why *why)
{
    static const char *const folders[] = { "etc_dir", "state_dir", "run_dir", "log_dir" };
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        const char *path = config_str(&config->top, folders[i]);
        if (path[0] != '/')
            return fail(why, ERR_CONFIG, "%s:%d: option %s is \"%.80s\"; allowed is an absolute path",
                        config->path, config_line(&config->top, folders[i]), folders[i], path);
    }
    return OK;
}

/* The longest of the sockets that the supervisor would make. */
static enum err check_sockets(const struct config *config, struct why *why)
{
    AUTO_STR longest = config_socket_path(config, "signer", "signer");
    size_t len = strlen(longest);
    if (len <= SOCKET_PATH_MAX)
        return OK;
    return fail(
        why, ERR_CONFIG,
        "%s:%d: option run_dir makes socket paths of %zu bytes; allowed are %d: choose a shorter folder",
        config->path, config_line(&config->top, "run_dir"), len, SOCKET_PATH_MAX);
}

static enum err check_site(const struct config *config, struct why *why)
{
    const char *site = config_str(&config->top, "site");
    if (name_is_valid(site))
        return OK;
    return fail(
        why, ERR_CONFIG,
        "%s:%d: option site is \"%.80s\"; allowed are a-z, 0-9, '.', '_' and '-', a letter or digit first",
        config->path, config_line(&config->top, "site"), site);
}

/* As net/listener.c takes it: no names, and IPv6 in brackets, maybe with an interface after %. */
static bool host_is_numeric(const char *host, size_t len)
{
    bool six = len > 2 && host[0] == '[' && host[len - 1] == ']';
    AUTO_STR text = six ? xstrndup(host + 1, len - 2) : xstrndup(host, len);
    struct network network;
    if (six)
        text[strcspn(text, "%")] = '\0';
    return !strchr(text, '/') && (strchr(text, ':') != NULL) == six && network_parse(text, &network);
}

static bool address_is_valid(const char *address)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    return strtol(colon + 1, NULL, 10) <= 65535 && host_is_numeric(address, (size_t)(colon - address));
}

static enum err check_addresses(const struct config *config, const struct config_section *section,
                                const char *option, struct why *why)
{
    for (size_t i = 0; option_find(section->kind, option) && i < config_list_count(section, option); i++) {
        const char *address = config_list_at(section, option, i);
        if (!address_is_valid(address))
            return fail(
                why, ERR_CONFIG,
                "%s:%d: option %s has \"%.80s\"; allowed is ADDRESS:PORT in numbers, as 192.0.2.7:80 or "
                "[::]:80",
                config->path, config_line(section, option), option, address);
    }
    return OK;
}

static enum err check_proxies(const struct config *config, const struct config_section *section,
                              struct why *why)
{
    for (size_t i = 0; i < config_list_count(section, "trusted_proxies"); i++) {
        const char *text = config_list_at(section, "trusted_proxies", i);
        struct network network;
        if (!network_parse(text, &network))
            return fail(why, ERR_CONFIG,
                        "%s:%d: option trusted_proxies has \"%.80s\"; allowed is an address or a network, as "
                        "192.0.2.7, 192.0.2.0/24 or 2001:db8::/64",
                        config->path, config_line(section, "trusted_proxies"), text);
    }
    return OK;
}

/* A role's section that serves HTTP has the rows HTTP_LIMIT_ROWS. */
static enum err check_http(const struct config *config, struct why *why)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];
        if (!option_find(section->kind, "max_connections"))
            continue;
        TRY(check_addresses(config, section, "http_listen", why));
        TRY(check_addresses(config, section, "https_listen", why));
        TRY(check_addresses(config, section, "admin_listen", why));
        TRY(check_proxies(config, section, why));
    }
    return OK;
}

static enum err check_urls(const struct config *config, const struct config_section *ca, const char *option,
                           struct why *why)
{
    for (size_t i = 0; i < config_list_count(ca, option); i++) {
        const char *url = config_list_at(ca, option, i);
        size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
        bool ascii = true; /* IA5String in the certificate (RFC 5280 4.2.1.6) */
        for (const char *at = url; *at; at++)
            ascii = ascii && (unsigned char)*at < 0x80;
        if (!scheme || !url[scheme] || url[scheme] == '/' || !ascii)
            return fail(why, ERR_CONFIG,
                        "%s:%d: option %s has \"%.80s\"; allowed is an ASCII URL as http://host.example/file",
                        config->path, config_line(ca, option), option, url);
    }
    return OK;
}

/* Shape alone: the signer knows the object identifiers. */
static enum err check_ekus(const struct config *config, const struct config_section *ca, struct why *why)
{
    for (size_t i = 0; i < config_list_count(ca, "allowed_eku"); i++) {
        const char *eku = config_list_at(ca, "allowed_eku", i);
        size_t len = strlen(eku), digits = strspn(eku, "0123456789.");
        size_t letters = strspn(eku, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        bool dotted = digits == len && strchr(eku, '.');
        bool any = strcasecmp(eku, "anyExtendedKeyUsage") == 0 || strcmp(eku, "2.5.29.37.0") == 0;
        if ((!FAULT(config_any_eku) && any) || (!dotted && letters != len))
            return fail(why, ERR_CONFIG,
                        "%s:%d: option allowed_eku has \"%.80s\"; allowed is a purpose as clientAuth or "
                        "1.3.6.1.5.5.7.3.2%s",
                        config->path, config_line(ca, "allowed_eku"), eku,
                        any ? ", never any purpose at all" : "");
    }
    return OK;
}

/* A file of one CA under the name that a partition of another has: "a" has a-2.crl, and so has "a-2". */
static enum err check_partition_names(const struct config *config, const struct config_section *ca,
                                      struct why *why)
{
    for (int64_t i = 1; i <= config_int(ca, "crl_partitions"); i++) {
        AUTO_STR name = xasprintf("%s-%lld", ca->title, (long long)i);
        const struct config_section *other = config_find(config, "ca", name);
        if (other)
            return fail(
                why, ERR_CONFIG,
                "%s:%d: ca \"%s\" has the name of partition %lld of ca \"%s\", and would have its CRL; "
                "allowed is another name",
                config->path, other->line, other->title, (long long)i, ca->title);
    }
    return OK;
}

/* With several partitions each URL names one (RFC 5280 5.2.5); %p belongs into no other URL, since no octet is written "%p". */
static enum err check_partition_urls(const struct config *config, const struct config_section *ca,
                                     bool wanted, struct why *why)
{
    for (size_t i = 0; i < config_list_count(ca, "cdp_urls"); i++) {
        const char *url = config_list_at(ca, "cdp_urls", i);
        if ((strstr(url, CRL_PARTITION_MARK) != NULL) != wanted)
            return fail(why, ERR_CONFIG,
                        "%s:%d: option cdp_urls has \"%.80s\", and crl_partitions is %lld; allowed is a URL "
                        "with%s %s, the partition's number",
                        config->path, config_line(ca, "cdp_urls"), url,
                        (long long)config_int(ca, "crl_partitions"), wanted ? "" : "out", CRL_PARTITION_MARK);
    }
    return OK;
}

static enum err check_partitions(const struct config *config, const struct config_section *ca,
                                 struct why *why)
{
    int64_t count = config_int(ca, "crl_partitions"), delta = config_int(ca, "crl_delta_validity");
    int line = config_line(ca, "crl_partitions");
    if (!FAULT(config_partition_urls))
        TRY(check_partition_urls(config, ca, count > 1, why));
    if (count == 1)
        return OK;
    if (!config_list_count(ca, "cdp_urls"))
        return fail(why, ERR_CONFIG,
                    "%s:%d: option crl_partitions is %lld, and cdp_urls is empty; allowed is a URL with "
                    "%s, or nobody could tell the partitions' CRLs apart (RFC 5280 5.2.5)",
                    config->path, line, (long long)count, CRL_PARTITION_MARK);
    if (!FAULT(config_partition_delta) && delta)
        return fail(why, ERR_CONFIG,
                    "%s:%d: option crl_partitions is %lld, and crl_delta_validity is %lld; allowed are delta "
                    "CRLs with 1 partition, or partitions with crl_delta_validity 0",
                    config->path, line, (long long)count, (long long)delta);
    return check_partition_names(config, ca, why);
}

static enum err check_ca(const struct config *config, const struct config_section *ca, struct why *why)
{
    TRY(check_urls(config, ca, "cdp_urls", why));
    TRY(check_urls(config, ca, "aia_urls", why));
    TRY(check_urls(config, ca, "ocsp_urls", why));
    TRY(check_partitions(config, ca, why));
    TRY(check_urls(config, ca, "delta_urls", why));
    return check_ekus(config, ca, why);
}

static size_t path_len(const char *path) /* a final slash means nothing */
{
    size_t len = strlen(path);
    return len > 1 && path[len - 1] == '/' ? len - 1 : len;
}

static bool path_equal(const char *a, const char *b)
{
    return path_len(a) == path_len(b) && strncasecmp(a, b, path_len(a)) == 0;
}

static enum err check_path(const struct config *config, const struct config_section *endpoint,
                           const char *path, struct why *why)
{
    int line = config_line(endpoint, "paths");
    bool plain = path[0] == '/' && path[1] && strlen(path) <= ENDPOINT_PATH_MAX;
    for (const char *at = path; *at; at++)
        plain = plain && (unsigned char)*at > 0x20 && (unsigned char)*at < 0x7F && !strchr("?#%\\", *at);
    if (!plain || strstr(path, "//") || strstr(path, "/../") || strstr(path, "/./"))
        return fail(why, ERR_CONFIG,
                    "%s:%d: option paths has \"%.80s\"; allowed is a URL path of at most %d characters as "
                    "/scep/tablets",
                    config->path, line, path, ENDPOINT_PATH_MAX);
    for (size_t i = 0; i < sizeof(standard_paths) / sizeof(*standard_paths); i++) {
        if (path_equal(path, standard_paths[i]) && strcmp(endpoint->title, "default") != 0)
            return fail(why, ERR_CONFIG,
                        "%s:%d: option paths has \"%.80s\", which the endpoint named default answers; "
                        "allowed is another one",
                        config->path, line, path);
    }
    return OK;
}

/* Is the path of `endpoint` at `index` taken by an earlier endpoint, or twice by this one? */
static enum err check_path_unique(const struct config *config, size_t nth, size_t index, struct why *why)
{
    const struct config_section *endpoint = config_at(config, "endpoint", nth);
    const char *path = config_list_at(endpoint, "paths", index);
    for (size_t i = 0; i <= nth; i++) {
        const struct config_section *other = config_at(config, "endpoint", i);
        size_t count = i == nth ? index : config_list_count(other, "paths");
        for (size_t j = 0; j < count; j++) {
            if (path_equal(path, config_list_at(other, "paths", j)))
                return fail(why, ERR_CONFIG,
                            "%s:%d: option paths has \"%.80s\", which endpoint \"%s\" has in line %d; "
                            "allowed is each path once, "
                            "without regard to case",
                            config->path, config_line(endpoint, "paths"), path, other->title,
                            config_line(other, "paths"));
        }
    }
    return OK;
}

static enum err check_endpoint(const struct config *config, size_t nth, struct why *why)
{
    const struct config_section *endpoint = config_at(config, "endpoint", nth);
    if (!FAULT(config_validator) && !config_is_set(endpoint, "validator"))
        return fail(why, ERR_CONFIG,
                    "endpoint \"%s\" (%s:%d) has no validator: it would issue to anybody; set validator = "
                    "\"static\", "
                    "\"one-time\", \"managed\" or \"manual\"",
                    endpoint->title, config->path, endpoint->line);
    const char *ca = config_str(endpoint, "ca");
    if (!config_find(config, "ca", ca))
        return fail(
            why, ERR_CONFIG,
            "%s:%d: endpoint \"%s\" has ca \"%.80s\"; allowed is the name of a ca section of this file",
            config->path, config_is_set(endpoint, "ca") ? config_line(endpoint, "ca") : endpoint->line,
            endpoint->title, ca);
    for (size_t i = 0; i < config_list_count(endpoint, "paths"); i++) {
        TRY(check_path(config, endpoint, config_list_at(endpoint, "paths", i), why));
        TRY(check_path_unique(config, nth, i, why));
    }
    if (!name_is_valid(config_str(endpoint, "ra_set")))
        return fail(why, ERR_CONFIG,
                    "%s:%d: option ra_set is \"%.80s\"; allowed are a-z, 0-9, '.', '_' and '-', a letter or "
                    "digit first",
                    config->path, config_line(endpoint, "ra_set"), config_str(endpoint, "ra_set"));
    return OK;
}

/* The CAs whose authority the management service is, where it runs. */
static enum err check_mdm(const struct config *config, struct why *why)
{
    const struct config_section *mdm = config_at(config, "mdm", 0), *top = config_top(config);
    bool runs = false;
    for (size_t i = 0; i < config_list_count(top, "roles"); i++)
        runs |= strcmp(config_list_at(top, "roles", i), "mdm") == 0;
    for (size_t i = 0; i < config_list_count(mdm, "ca") && runs; i++) {
        const char *ca = config_list_at(mdm, "ca", i);
        if (!config_find(config, "ca", ca))
            return fail(why, ERR_CONFIG,
                        "%s:%d: section mdm has ca \"%.80s\"; allowed are names of ca sections of this file",
                        config->path, config_is_set(mdm, "ca") ? config_line(mdm, "ca") : mdm->line, ca);
    }
    return OK;
}

enum err config_check(const struct config *config, const struct stat *file, struct why *why)
{
    TRY(check_file(config, file, why));
    TRY(check_site(config, why));
    TRY(check_folders(config, why));
    TRY(check_sockets(config, why));
    TRY(check_http(config, why));
    for (size_t i = 0; i < config_count(config, "ca"); i++)
        TRY(check_ca(config, config_at(config, "ca", i), why));
    for (size_t i = 0; i < config_count(config, "endpoint"); i++)
        TRY(check_endpoint(config, i, why));
    return check_mdm(config, why);
}
