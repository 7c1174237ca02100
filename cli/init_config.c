/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a new site starts with: short, with the choices an administrator makes first. */
#include "cli/init.h"

static void quoted_list(struct buf *out, const char *name, const char *value)
{
    if (value)
        buf_printf(out, "    %s = {\"%s\"}\n", name, value);
}

static void listen_line(struct buf *out, const char *name, const char *value)
{
    if (strcmp(value, "off") == 0)
        buf_printf(out, "    %s = {}\n", name);
    else
        buf_printf(out, "    %s = {\"%s\"}\n", name, value);
}

static void mdm_text(const struct init_options *o, struct buf *ret)
{
    buf_append_str(ret, "\n# Where devices of the management service enrol, at /scep/managed.\n"
                        "endpoint \"managed\" {\n"
                        "    ca = \"issuing\"\n"
                        "    validator = \"managed\"\n"
                        "    signature_template = \"SCEPDeviceSignature\"\n"
                        "    encryption_template = \"SCEPDeviceEncryption\"\n"
                        "    general_purpose_template = \"SCEPDevice\"\n"
                        "}\n\n"
                        "# Users, groups and devices. admin_listen is for administrators alone.\n"
                        "mdm {\n");
    listen_line(ret, "https_listen", o->mdm_https);
    listen_line(ret, "admin_listen", o->mdm_admin);
    buf_append_str(ret, "}\n");
}

void init_config_text(const struct init_site *site, struct buf *ret)
{
    const struct init_options *o = site->options;
    const struct site_paths *paths = &site->paths;
    buf_printf(ret,
               "# Chancery's configuration: see chancery.conf(5). Each role reads only its own sections.\n"
               "site = \"%s\"\n"
               "mode = \"%s\"\n"
               "etc_dir = \"%s\"\n"
               "state_dir = \"%s\"\n"
               "log_dir = \"%s\"\n"
               "run_dir = \"%s\"\n%s\n"
               "# The CA that issues to devices; signer enforces these limits by itself.\n"
               "ca \"issuing\" {\n",
               o->site, o->system_mode ? "system" : "user", paths->etc, paths->state, paths->log, paths->run,
               o->mdm ? "roles = {\"signer\", \"ca\", \"scep\", \"va\", \"mdm\"}\n" : "");
    if (o->crl_partitions > 1)
        buf_printf(ret, "    crl_partitions = %d\n", o->crl_partitions);
    quoted_list(ret, "cdp_urls", site->urls.crl);
    quoted_list(ret, "aia_urls", site->urls.certificate);
    quoted_list(ret, "ocsp_urls", site->urls.ocsp);
    buf_append_str(ret, "}\n\n"
                        "# Names the site's own nodes, and nothing else: no device is ever issued from it.\n"
                        "ca \"node\" {\n"
                        "    allowed_eku = {\"clientAuth\", \"serverAuth\"}\n"
                        "}\n\n"
                        "scep {\n");
    listen_line(ret, "http_listen", o->http);
    listen_line(ret, "https_listen", o->https);
    if (o->external_name)
        buf_printf(ret, "    external_name = \"%s\"\n", o->external_name);
    buf_append_str(ret,
                   "}\n\n"
                   "# Serves CRLs and CA certificates at /CertEnroll/ and OCSP at /ocsp, over plain HTTP.\n"
                   "va {\n");
    listen_line(ret, "http_listen", o->va_http);
    buf_printf(ret,
               "}\n\n"
               "# What answers at /certsrv/mscep/mscep.dll, /scep and /cgi-bin/pkiclient.exe.\n"
               "endpoint \"default\" {\n"
               "    ca = \"issuing\"\n"
               "    validator = \"%s\"\n"
               "    signature_template = \"SCEPDeviceSignature\"\n"
               "    encryption_template = \"SCEPDeviceEncryption\"\n"
               "    general_purpose_template = \"SCEPDevice\"\n"
               "}\n",
               o->validator);
    if (o->mdm)
        mdm_text(o, ret);
}
