/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `chancery init`, in the order in which they run. */
#pragma once
#include "cli/site.h"

struct init_options {
    const char *dir, *root_dir, *site, *organisation, *external_name;
    const char *http, *https, *va_http, *mdm_https, *mdm_admin, *validator, *root_passphrase_file;
    const char *cdp_url, *aia_url, *ocsp_url;
    int crl_partitions;
    struct key_spec ca_key, ra_key;
    bool system_mode;
    bool mdm;                                   /* with the management service */
};

/* Where what the site publishes is found; each NULL when nobody serves it. Owned. */
struct init_urls { char *crl, *certificate, *ocsp, *root_crl, *root_certificate; };

struct init_site {
    const struct init_options *options;
    struct init_urls urls;
    struct site_paths paths;
    struct config *config;
    int64_t now;
    struct key_gate *gate;
    struct buf root, issuing, node;             /* certificates, DER */
};

/* init_urls.c */
void init_urls_make(const struct init_options *options, struct init_urls *ret);
void init_urls_free(struct init_urls *urls);
/* init_config.c: the configuration's text. */
void init_config_text(const struct init_site *site, struct buf *ret);
/* init_judge.c: addresses, names and all else that a configuration and certificates must have; nothing is written. */
NODISCARD enum err init_judge(const struct init_site *site, struct why *why);
/* The names of the TLS certificate, whole GeneralNames; and the whole Name of "ORGANISATION TITLE". */
NODISCARD enum err init_names(const struct init_options *options, struct buf *ret, struct why *why);
NODISCARD enum err init_subject(const struct init_options *options, const char *title, struct buf *ret, struct why *why);
/* init_authorities.c: root, issuing and node CA, with their keys. */
NODISCARD enum err init_authorities(struct init_site *site, const struct secret *root_passphrase, struct why *why);
/* init_issue.c: the store with its templates; RA and TLS certificates, issued and recorded as any other. */
NODISCARD enum err init_issue(struct init_site *site, struct why *why);
