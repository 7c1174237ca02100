/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `chancery init`, in the order in which they run. */
#pragma once
#include "cli/site.h"

struct init_options {
    const char *dir, *root_dir, *site, *organisation, *external_name;
    const char *http, *https, *validator, *root_passphrase_file;
    const char *cdp_url, *aia_url;
    struct key_spec ca_key, ra_key;
    bool system_mode;
};

/* What the authorities are made of: their certificates, for the files of the other roles. */
struct init_authority { struct buf cert; };
struct init_site {
    const struct init_options *options;
    struct site_paths paths;
    struct config *config;
    int64_t now;
    struct key_gate *gate;
    struct buf root, issuing, node;             /* certificates, DER */
};

/* init_config.c: the configuration's text. */
void init_config_text(const struct init_options *options, const struct site_paths *paths, struct buf *ret);
/* init_authorities.c: root, issuing and node CA, with their keys. */
NODISCARD enum err init_authorities(struct init_site *site, const struct secret *root_passphrase, struct why *why);
/* init_issue.c: the store with its templates; RA and TLS certificates, issued and recorded as any other. */
NODISCARD enum err init_issue(struct init_site *site, struct why *why);
