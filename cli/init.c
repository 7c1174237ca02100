/* SPDX-License-Identifier: Apache-2.0 */
/* chancery init: a new site. The configuration is put in place last, so an interrupted run is recognised as
 * one. */
#include "cli/init.h"
#include "cli/command.h"
#include "cli/passphrase.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

extern const struct command command_init;
static enum err init_run(struct cli *cli, int argc, char **argv, struct why *why);
const struct command command_init = {
    .noun = "init",
    .verb = "",
    .args =
        "[--site NAME] [--organisation NAME] [--ca-key P-256|P-384|RSA-2048|RSA-3072|RSA-4096] "
        "[--ra-bits N]\n"
        "       [--validator static|one-time|manual] [--external-name NAME] [--http ADDR|off] [--https "
        "ADDR|off]\n"
        "       [--va-http ADDR|off] [--cdp-url URL] [--aia-url URL] [--ocsp-url URL] [--crl-partitions N]\n"
        "       [--mdm] [--mdm-https ADDR|off] [--mdm-admin ADDR|off]\n"
        "       [--root-dir DIR] [--root-passphrase-file FILE] [--mode user|system]",
    .help = "make a new site: root, issuing and node CA, RA certificates, templates, configuration",
    .run = init_run,
};

static bool key_spec_by_name(const char *name, struct key_spec *ret)
{
    static const struct {
        const char *name;
        struct key_spec spec;
    } known[] = {
        { "P-256", { KEY_EC_P256, 0 } },   { "P-384", { KEY_EC_P384, 0 } },
        { "RSA-2048", { KEY_RSA, 2048 } }, { "RSA-3072", { KEY_RSA, 3072 } },
        { "RSA-4096", { KEY_RSA, 4096 } },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            *ret = known[i].spec;
            return true;
        }
    }
    return false;
}

/* Values that end up in the configuration's quotes or in names. */
static enum err check_text(const char *option, const char *value, struct why *why)
{
    for (const char *at = value; at && *at; at++) {
        if (strchr("\"\\$", *at) || (unsigned char)*at < 0x20)
            return fail(why, ERR_USAGE, "option --%s has a character that a configuration cannot hold: %s",
                        option, value);
    }
    return OK;
}

enum {
    O_SITE,
    O_ORGANISATION,
    O_CA_KEY,
    O_RA_BITS,
    O_VALIDATOR,
    O_EXTERNAL,
    O_HTTP,
    O_HTTPS,
    O_VA_HTTP,
    O_MDM,
    O_MDM_HTTPS,
    O_MDM_ADMIN,
    O_CDP,
    O_AIA,
    O_OCSP,
    O_PARTITIONS,
    O_ROOT_DIR,
    O_PASSPHRASE,
    O_MODE
};
static const struct option init_long[] = {
    { "site", 1, NULL, O_SITE },
    { "organisation", 1, NULL, O_ORGANISATION },
    { "ca-key", 1, NULL, O_CA_KEY },
    { "ra-bits", 1, NULL, O_RA_BITS },
    { "validator", 1, NULL, O_VALIDATOR },
    { "external-name", 1, NULL, O_EXTERNAL },
    { "http", 1, NULL, O_HTTP },
    { "https", 1, NULL, O_HTTPS },
    { "va-http", 1, NULL, O_VA_HTTP },
    { "mdm", 0, NULL, O_MDM },
    { "mdm-https", 1, NULL, O_MDM_HTTPS },
    { "mdm-admin", 1, NULL, O_MDM_ADMIN },
    { "cdp-url", 1, NULL, O_CDP },
    { "aia-url", 1, NULL, O_AIA },
    { "ocsp-url", 1, NULL, O_OCSP },
    { "root-dir", 1, NULL, O_ROOT_DIR },
    { "root-passphrase-file", 1, NULL, O_PASSPHRASE },
    { "mode", 1, NULL, O_MODE },
    { "crl-partitions", 1, NULL, O_PARTITIONS },
    { 0 },
};

static enum err option_word(struct init_options *o, int option, const char *value, struct why *why)
{
    if (option == O_CA_KEY && !key_spec_by_name(value, &o->ca_key))
        return fail(why, ERR_USAGE, "--ca-key %s is none of P-256, P-384, RSA-2048, RSA-3072, RSA-4096",
                    value);
    if (option == O_RA_BITS) {
        o->ra_key.rsa_bits = atoi(value);
        if (o->ra_key.rsa_bits != 2048 && o->ra_key.rsa_bits != 3072 && o->ra_key.rsa_bits != 4096)
            return fail(why, ERR_USAGE, "--ra-bits %s is none of 2048, 3072, 4096", value);
    }
    if (option == O_MODE) {
        o->system_mode = strcmp(value, "system") == 0;
        if (!o->system_mode && strcmp(value, "user") != 0)
            return fail(why, ERR_USAGE, "--mode %s is none of user, system", value);
    }
    if (option == O_VALIDATOR) {
        o->validator = value;
        if (strcmp(value, "static") != 0 && strcmp(value, "one-time") != 0 && strcmp(value, "manual") != 0)
            return fail(why, ERR_USAGE, "--validator %s is none of static, one-time, manual", value);
    }
    return OK;
}

/* Said here, and not by the check of a configuration that nobody has seen yet. */
static enum err partitions_read(struct init_options *o, const char *value, struct why *why)
{
    char *end;
    long count = strtol(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end || count < 1 || count > LIMIT_CRL_PARTITIONS)
        return fail(why, ERR_USAGE, "--crl-partitions %s is none of 1 to %d", value, LIMIT_CRL_PARTITIONS);
    o->crl_partitions = (int)count;
    return OK;
}

static enum err partitions_check(const struct init_options *o, struct why *why)
{
    bool has_mark = o->cdp_url && strstr(o->cdp_url, CRL_PARTITION_MARK);
    if (!o->cdp_url || has_mark == (o->crl_partitions > 1))
        return OK;
    return fail(why, ERR_USAGE,
                "--crl-partitions is %d, and --cdp-url %s; wanted: with several partitions a URL with %s "
                "where the partition's number goes, without them none",
                o->crl_partitions, o->cdp_url, CRL_PARTITION_MARK);
}

static enum err options_read(struct init_options *o, int argc, char **argv, struct why *why)
{
    const char **text[] = { [O_SITE] = &o->site,
                            [O_ORGANISATION] = &o->organisation,
                            [O_EXTERNAL] = &o->external_name,
                            [O_HTTP] = &o->http,
                            [O_HTTPS] = &o->https,
                            [O_VA_HTTP] = &o->va_http,
                            [O_MDM_HTTPS] = &o->mdm_https,
                            [O_MDM_ADMIN] = &o->mdm_admin,
                            [O_CDP] = &o->cdp_url,
                            [O_AIA] = &o->aia_url,
                            [O_OCSP] = &o->ocsp_url,
                            [O_PARTITIONS] = NULL,
                            [O_ROOT_DIR] = &o->root_dir,
                            [O_PASSPHRASE] = &o->root_passphrase_file,
                            [O_MODE] = NULL };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", init_long, &index)) != -1) {
        if (option == '?')
            return fail(why, ERR_USAGE, "unknown or incomplete option %s", argv[optind - 1]);
        TRY(check_text(init_long[index].name, optarg, why));
        TRY(option_word(o, option, optarg, why));
        if (option == O_PARTITIONS)
            TRY(partitions_read(o, optarg, why));
        o->mdm |= option == O_MDM || option == O_MDM_HTTPS || option == O_MDM_ADMIN;
        if (text[option])
            *text[option] = optarg;
    }
    if (optind != argc)
        return fail(why, ERR_USAGE, "unexpected %s", argv[optind]);
    if (strlen(o->site) > LIMIT_NAME_BYTES || strlen(o->organisation) > LIMIT_NAME_BYTES - 12)
        return fail(why, ERR_USAGE, "--site and --organisation are limited to %d and %d bytes",
                    LIMIT_NAME_BYTES, LIMIT_NAME_BYTES - 12);
    return partitions_check(o, why);
}

static enum err refuse_leftovers(const struct site_paths *paths, struct why *why)
{
    AUTO_STR config = xasprintf("%s/chancery.conf", paths->etc);
    AUTO_STR keys = xasprintf("%s/signer/keys", paths->state);
    if (access(config, F_OK) == 0)
        return fail(why, ERR_CONFLICT, "%s exists: this site is made already, and init never overwrites keys",
                    config);
    if (access(keys, F_OK) == 0)
        return fail(why, ERR_CONFLICT,
                    "%s exists, but %s does not: an earlier init was interrupted. Nothing was issued "
                    "to devices; remove %s, %s and %s and run it again",
                    keys, config, paths->etc, paths->state, paths->root);
    return OK;
}

static enum err config_stage(struct init_site *site, char **ret_staged, struct why *why)
{
    AUTO_BUF text = { 0 };
    init_config_text(site, &text);
    AUTO_STR staged = xasprintf("%s/chancery.conf.unfinished", site->paths.etc);
    TRY(file_write(staged, buf_bytes(&text), 0644, why));
    TRY(config_load(staged, &site->config, why));
    *ret_staged = TAKE(staged);
    return OK;
}

static enum err site_make(struct init_site *site, const struct secret *root_passphrase, struct why *why)
{
    AUTO_STR staged = NULL;
    TRY(site_folders(&site->paths, &(struct site_shape){ site->options->system_mode, site->options->mdm },
                     why));
    TRY(config_stage(site, &staged, why));
    TRY(init_authorities(site, root_passphrase, why));
    TRY(init_issue(site, why));
    TRY(site_give_all(site->config, &site->paths, why));
    AUTO_STR final = xasprintf("%s/chancery.conf", site->paths.etc);
    if (rename(staged, final) != 0)
        return fail(why, ERR_IO, "cannot put %s in place: %s", final, strerror(errno));
    return OK;
}

static void tell(const struct init_site *site)
{
    bool is_static = strcmp(site->options->validator, "static") == 0;
    printf("The site \"%s\" is made.\n"
           "  configuration  %s/chancery.conf\n"
           "  root CA        %s/root-1.crt.pem  (give it to the devices as their trust anchor)\n"
           "  root key       %s/root-1.key.pem  (under its passphrase; the daemon never reads it: move it "
           "offline)\n"
           "%s%s%sNext: chanceryd -c %s/chancery.conf\n",
           site->options->site, site->paths.etc, site->paths.root, site->paths.root,
           is_static ? "First: chancery -c " : "", is_static ? site->paths.etc : "",
           is_static ? "/chancery.conf password set default\n" : "", site->paths.etc);
    if (site->options->mdm)
        printf("Then: chancery -c %s/chancery.conf authority add mdm "
               "--certificate %s/mdm/certs/signing-1.crt.pem \\\n"
               "          --templates SCEPDevice,SCEPDeviceSignature,SCEPDeviceEncryption --suffixes "
               "dns:,email:,upn:\n"
               "      (has ca believe the management service; suffixes with your own domains are better: "
               "chancery-mdm(8))\n",
               site->paths.etc, site->paths.state);
}

static enum err init_run(struct cli *cli, int argc, char **argv, struct why *why)
{
    char host[256] = "localhost";
    gethostname(host, sizeof(host) - 1);
    struct init_options options = {
        .dir = cli->dir,
        .site = "default",
        .organisation = "Chancery",
        .validator = "one-time",
        .http = "[::]:80",
        .https = "[::]:443",
        .va_http = "[::]:8080",
        .mdm_https = "[::]:8443",
        .mdm_admin = "127.0.0.1:8444",
        .crl_partitions = 1,
        .external_name = host,
        .ca_key = { KEY_EC_P256, 0 },
        .ra_key = { KEY_RSA, 2048 },
        .system_mode = cli->dir == NULL,
    };
    struct init_site site = { .options = &options, .now = clock_now(&clock_system) };
    struct secret passphrase = { 0 };
    TRY(options_read(&options, argc, argv, why));
    if (options.system_mode && geteuid() != 0)
        return fail(why, ERR_USAGE,
                    "a site in system mode is made by root, and this is uid %d; use --dir DIR for a site "
                    "of your own",
                    (int)geteuid());
    init_urls_make(&options, &site.urls);
    enum err err = site_paths_of(options.dir, options.root_dir, &site.paths, why);
    if (err == OK)
        err = refuse_leftovers(&site.paths, why);
    if (err == OK)
        err = init_judge(&site, why);
    if (err == OK)
        err =
            passphrase_read(options.root_passphrase_file, "passphrase for the root CA key", &passphrase, why);
    if (err == OK)
        err = site_make(&site, &passphrase, why);
    if (err == OK)
        tell(&site);
    secret_free(&passphrase);
    config_free(site.config);
    site_paths_free(&site.paths);
    init_urls_free(&site.urls);
    buf_free(&site.root);
    buf_free(&site.issuing);
    buf_free(&site.node);
    return err;
}
