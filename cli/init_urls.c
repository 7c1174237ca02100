/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates point to: the site's own validation authority, unless an administrator says otherwise. */
#include "cli/init.h"

#include "base/limits.h"

#define HTTP_PORT 80

/* The port of "ADDRESS:PORT"; 0: none, or one that is chosen at the start, which no URL can name. */
static int port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon ? atoi(colon + 1) : 0;
}

/* NULL: nobody serves it. */
static char *own_url(const struct init_options *options, const char *path)
{
    int port = port_of(options->va_http);
    if (strcmp(options->va_http, "off") == 0 || port <= 0)
        return NULL;
    if (port == HTTP_PORT)
        return xasprintf("http://%s/%s", options->external_name, path);
    return xasprintf("http://%s:%d/%s", options->external_name, port, path);
}

static char *url_of(const struct init_options *options, const char *given, const char *path)
{
    return given ? xstrdup(given) : own_url(options, path);
}

void init_urls_make(const struct init_options *options, struct init_urls *ret)
{
    const char *crl = options->crl_partitions > 1 ? "CertEnroll/issuing-" CRL_PARTITION_MARK ".crl"
                                                  : "CertEnroll/issuing.crl";
    *ret = (struct init_urls){ .crl = url_of(options, options->cdp_url, crl),
                               .certificate = url_of(options, options->aia_url, "CertEnroll/issuing.crt"),
                               .ocsp = url_of(options, options->ocsp_url, "ocsp"),
                               .root_crl = own_url(options, "CertEnroll/root.crl"),
                               .root_certificate = own_url(options, "CertEnroll/root.crt") };
}

void init_urls_free(struct init_urls *urls)
{
    free(urls->crl);
    free(urls->certificate);
    free(urls->ocsp);
    free(urls->root_crl);
    free(urls->root_certificate);
    *urls = (struct init_urls){ 0 };
}
