/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the context. */
#include "ca/settings.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"

#define HOUR 3600
#define DAY  86400

struct strings {
    const char **list;
    size_t count;
};

static struct strings strings_of(const struct config_section *section, const char *option)
{
    struct strings strings = { .count = config_list_count(section, option) };
    strings.list = xcalloc(strings.count + 1, sizeof(*strings.list));
    for (size_t i = 0; i < strings.count; i++)
        strings.list[i] = config_list_at(section, option, i);
    return strings;
}

static enum err certificate_read(const struct config *config, const char *name, struct buf *ret,
                                 struct why *why)
{
    AUTO_STR file = xasprintf("certs/ca-%s.crt.pem", name);
    AUTO_STR path = config_role_path(config, "ca", file);
    AUTO_BUF text = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", ret, NULL))
        return fail(why, ERR_CONFIG, "%s holds no PEM certificate", path);
    return OK;
}

static enum err issuer_add(const struct config *config, const struct config_section *section, struct ca *ca,
                           struct why *why)
{
    AUTO_BUF der = { 0 };
    TRY(certificate_read(config, config_title(section), &der, why));
    struct strings cdp = strings_of(section, "cdp_urls"), aia = strings_of(section, "aia_urls"),
                   ocsp = strings_of(section, "ocsp_urls"), delta = strings_of(section, "delta_urls"),
                   eku = strings_of(section, "allowed_eku");
    struct issuer_params params = {
        .name = config_title(section),
        .certificate = buf_bytes(&der),
        .backdate_s = config_int(section, "backdate"),
        .validity_max_s = config_int(section, "validity_max") * DAY,
        .allowed_eku = eku.list,
        .allowed_eku_count = eku.count,
        .crl_validity_s = config_int(section, "crl_validity") * HOUR,
        .crl_overlap_s = config_int(section, "crl_overlap") * HOUR,
        .cdp = cdp.list,
        .cdp_count = cdp.count,
        .crl_partitions = (unsigned)config_int(section, "crl_partitions"),
        .aia = aia.list,
        .aia_count = aia.count,
        .ocsp = ocsp.list,
        .ocsp_count = ocsp.count,
        .delta_validity_s = config_int(section, "crl_delta_validity") * HOUR,
        .delta = delta.list,
        .delta_count = delta.count,
    };
    enum err err = ca_add_issuer(ca, &params, why);
    free(cdp.list);
    free(aia.list);
    free(ocsp.list);
    free(eku.list);
    free(delta.list);
    return err;
}

enum err settings_add_issuers(const struct config *config, struct ca *ca, struct why *why)
{
    for (size_t i = 0; i < config_count(config, "ca"); i++)
        TRY(issuer_add(config, config_at(config, "ca", i), ca, why));
    if (!ca->issuer_count)
        return fail(why, ERR_CONFIG, "%s has no ca section", config_path(config));
    return OK;
}

enum err settings_add_endpoints(const struct config *config, struct ca *ca, struct why *why)
{
    for (size_t i = 0; i < config_count(config, "endpoint"); i++) {
        const struct config_section *section = config_at(config, "endpoint", i);
        AUTO_STR file = xasprintf("static-%s", config_title(section));
        AUTO_STR path = config_secret_path(config, "ca", file);
        struct endpoint_params params = {
            .name = config_title(section),
            .issuer = config_str(section, "ca"),
            .validator = config_str(section, "validator"),
            .allow_sha1 = config_bool(section, "allow_sha1"),
            .slots = { [SLOT_SIGNATURE] = config_str(section, "signature_template"),
                       [SLOT_ENCRYPTION] = config_str(section, "encryption_template"),
                       [SLOT_GENERAL] = config_str(section, "general_purpose_template") },
            .challenge_lifetime_s = config_int(section, "challenge_lifetime"),
            .challenges_outstanding = config_int(section, "challenges_outstanding"),
            .pending_max = config_int(section, "pending_max"),
            .static_path = path,
        };
        TRY(ca_add_endpoint(ca, &params, why));
    }
    return OK;
}
