/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in by an OpenID provider: the authorisation code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636). Nothing is kept of who began: what
   has to come back is made of one random text, which the browser has in a cookie, and a key of this process. */
#pragma once
#include "mdm/id_token.h"

#define OIDC_STATE_TEXT  129
#define OIDC_COOKIE      "__Host-chancery-oidc"
#define OIDC_SECONDS     600                                 /* from the begin to the way back */

struct oidc_settings {
    const char *issuer, *client, *redirect, *ca_file;        /* issuer "": there is no provider. ca_file "": the system's authorities */
    const char *name_claim, *groups_claim;
    const char *secret_path;                                 /* the client's secret; no file: a public client */
    const struct config_section *section;                    /* its list oidc_roles */
};
struct oidc;
/* *ret NULL: there is no provider. ERR_CONFIG names the option. Asks the provider nothing yet. */
NODISCARD enum err oidc_new(const struct oidc_settings *settings, struct oidc **ret, struct why *why);
void oidc_free(struct oidc *oidc);
AUTO_DECLARE(oidc)

/* The TCP port of an issuer; 0: there is none. */
uint16_t oidc_port(const char *issuer);

/* What a sign-in that begins then is known by. */
NODISCARD enum err oidc_state_make(const struct oidc *oidc, int64_t now, char ret[static OIDC_STATE_TEXT], struct why *why);
/* What the browser has to keep, and where it goes. The caller frees the URL. */
NODISCARD enum err oidc_begin(struct oidc *oidc, int64_t now, char ret_state[static OIDC_STATE_TEXT], char **ret_url, struct why *why);
/* It came back with that code, state and cookie. ERR_SIGN_IN with the reason, which is for the log alone; ERR_UNAVAILABLE, ERR_BUSY. */
struct oidc_return { struct bytes code, state, cookie, issuer; int64_t now; };   /* issuer: empty when it is not said (RFC 9207) */
NODISCARD enum err oidc_finish(struct oidc *oidc, const struct oidc_return *came, json_t **ret_claims, struct why *why);

/* Who that is, and which roles the provider's groups come to. ERR_SIGN_IN: no name that is one, or no role. */
struct oidc_person { const char *issuer, *subject, *name; unsigned roles; };     /* views into claims */
NODISCARD enum err oidc_person_of(const struct oidc *oidc, const json_t *claims, struct oidc_person *ret, struct why *why);
