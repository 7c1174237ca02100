/* SPDX-License-Identifier: Apache-2.0 */
/* The first certificates of a site, issued and recorded like every later one: by the ca's own code, sealed by
   a signer in this process. */
#include "cli/init.h"

#include "base/clock.h"
#include "ca/bootstrap.h"
#include "signer/signer.h"
#include "x509/name.h"
#include "x509/san.h"

static enum err seal_here(void *arg, const struct seal_request *request,
                          const struct sealer_meanwhile *meanwhile, struct buf *ret_der, struct why *why)
{
    if (meanwhile)
        meanwhile->work(meanwhile->arg);
    return signer_seal(arg, request, ret_der, why);
}

struct first {
    const char *role, *template_name, *file;
    bool tls;
};

static const struct first firsts[] = {
    { "scep", "CEPEncryption", "default-encryption", false },
    { "scep", "EnrollmentAgentOffline", "default-signature", false },
    { "scep", "RegistrationAuthority", "default-combined", false }, /* for endpoints with ra = "combined" */
    { "scep", "WebServer", "tls", true },
    { "mdm", "WebServer", "tls", true },
};

/* RA certificates of one service share a subject, as those of NDES do. */
static enum err subject_of(const struct init_site *site, const struct first *first, struct buf *ret,
                           struct why *why)
{
    if (!first->tls)
        return init_subject(site->options, "MSCEP RA", ret, why);
    AUTO_STR text = xasprintf("CN=\"%s\"", site->options->external_name);
    return name_from_text(text, ret, why);
}

/* The name that devices use and the one of this host's own tools. */
enum err init_names(const struct init_options *options, struct buf *ret, struct why *why)
{
    AUTO_BUF names = { 0 };
    AUTO_STR external = xasprintf("dns:%s", options->external_name);
    TRY(san_put_text(&names, external, why));
    if (strcmp(options->external_name, "localhost") != 0)
        TRY(san_put_text(&names, "dns:localhost", why));
    TRY(san_put_text(&names, "ip:127.0.0.1", why));
    der_put(ret, DER_SEQUENCE, buf_bytes(&names));
    return OK;
}

static enum err first_save(struct init_site *site, const struct first *first, const struct key *key,
                           struct bytes cert, struct why *why)
{
    struct secret unlock = { 0 };
    TRY(site_unlock(site->config, first->role, &unlock, why));
    AUTO_STR file = xasprintf("keys/%s-1.key.pem", first->file);
    AUTO_STR path = config_role_path(site->config, first->role, file);
    enum err err = key_file_save(key, path, &unlock, KEY_PROTECT_SECRET, why);
    secret_free(&unlock);
    TRY(err);
    AUTO_STR generation = xasprintf("%s-1", first->file);
    const struct bytes chain[] = { cert, buf_bytes(&site->issuing) };
    return site_write_cert(site->config, first->role, generation, chain, first->tls ? 2 : 1, why);
}

static enum err first_issue(struct init_site *site, struct ca *ca, const struct first *first, struct why *why)
{
    const struct key_spec tls_key = { .kind = KEY_EC_P256 };
    AUTO(key) key = NULL;
    AUTO_BUF subject = { 0 };
    AUTO_BUF san = { 0 };
    AUTO_BUF cert = { 0 };
    TRY(key_generate(first->tls ? &tls_key : &site->options->ra_key, site->gate, &key, why));
    TRY(subject_of(site, first, &subject, why));
    if (first->tls)
        TRY(init_names(site->options, &san, why));
    const struct bootstrap_request request = { .ca = "issuing",
                                               .template_name = first->template_name,
                                               .spki = public_key_spki(key->public_half),
                                               .subject = buf_bytes(&subject),
                                               .san = buf_bytes(&san) };
    TRY(ca_bootstrap_issue(ca, &request, &cert, why));
    return first_save(site, first, key, buf_bytes(&cert), why);
}

static enum err issue_all(struct init_site *site, struct store *store, struct signer *signer, struct why *why)
{
    const struct bootstrap_params params = { .config = site->config,
                                             .clock = &clock_system,
                                             .store = store,
                                             .sealer = { .seal = seal_here, .arg = signer } };
    AUTO(ca) ca = NULL;
    TRY(template_seed(store, site->now, why));
    TRY(ca_bootstrap_open(&params, &ca, why));
    for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
        bool wanted = strcmp(firsts[i].role, "mdm") != 0 || site->options->mdm;
        if (wanted)
            TRY(first_issue(site, ca, &firsts[i], why));
    }
    return OK;
}

enum err init_issue(struct init_site *site, struct why *why)
{
    struct secret unlock = { 0 };
    AUTO(signer) signer = NULL;
    AUTO(store) store = NULL;
    TRY(challenge_key_make(site->config, why));
    TRY(site_random_secret(site->config, "ca", "unlock", why));
    TRY(site_random_secret(site->config, "va", "unlock", why));
    TRY(site_unlock(site->config, "signer", &unlock, why));
    enum err err = signer_open(site->config, &unlock, site->gate, &clock_system, &signer, why);
    secret_free(&unlock);
    TRY(err);
    TRY(ca_store_open(site->config, &store, why));
    return issue_all(site, store, signer, why);
}
