/* SPDX-License-Identifier: Apache-2.0 */
/* A role's table of verbs, served on real sockets: every verb that any role has, from every principal there could be. No verb runs: the
   server's own question whether the caller may run it says that it was reached. */
#pragma once
#include "config/options.h"
#include "tests/unit/ipc/helper.h"

struct matrix_row { const char *verb, *peers; };             /* what is meant: judged against the role's table */
struct matrix { const struct ipc_verb *verbs; size_t count; const struct matrix_row *meant; size_t meant_count; };

static const char *const matrix_peers[] = { "cli",       "scep",  "va",   "signer", "ca",    "mdm",
                                            "connector", "agent", "root", "*",      "nobody" };
/* Of every role, and what looks like one. */
static const char *const matrix_verbs[] = { "status", "reload", "ra_show", "ra_renew", "tls_show", "tls_renew", "seal", "request", "poll", "get_cert", "get_crl", "issue", "ca_get", "status_get", "status_changes", "crl_get", "request_list", "request_show", "request_export", "request_approve", "request_deny", "request_resubmit", "refusal_list", "cert_list", "cert_show", "cert_export", "cert_revoke", "cert_release", "template_list", "template_show", "template_new", "template_set", "template_publish", "template_unpublish", "template_delete", "site_export", "site_apply", "crl_publish", "crl_show", "crl_export", "password_new", "signer_status", "ca_flags", "right_list", "right_grant", "right_revoke", "right_deny", "authority_list", "authority_show", "authority_add", "authority_set", "authority_remove", "api", "hello", "ok", "error", "sign", "statu", "statuses", "seal.", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
/* No names: what sends one is not listened to any more. */
static const char *const matrix_no_verbs[] = { "", " ", "*", "STATUS", "status ", " status", "status,seal", "../status", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
#define MATRIX_PEERS (sizeof(matrix_peers) / sizeof(*matrix_peers))
#define MATRIX_VERBS (sizeof(matrix_verbs) / sizeof(*matrix_verbs))
#define MATRIX_NO_VERBS (sizeof(matrix_no_verbs) / sizeof(*matrix_no_verbs))

static inline bool matrix_means(const struct matrix *matrix, const char *verb, const char *peer)
{
    for (size_t i = 0; i < matrix->meant_count; i++) {
        if (strcmp(matrix->meant[i].verb, verb) == 0)
            return words_contain(matrix->meant[i].peers, peer);
    }
    return false;
}

/* Every row of the table is meant, and is asked for. */
static inline void matrix_is_whole(const struct matrix *matrix)
{
    assert_int_equal(matrix->meant_count, matrix->count);
    for (size_t i = 0; i < matrix->count; i++) {
        size_t meant = 0, asked = 0;
        for (size_t m = 0; m < matrix->meant_count; m++)
            meant += strcmp(matrix->meant[m].verb, matrix->verbs[i].name) == 0;
        for (size_t v = 0; v < MATRIX_VERBS; v++)
            asked += strcmp(matrix_verbs[v], matrix->verbs[i].name) == 0;
        if (meant != 1 || asked != 1)
            fail_msg("verb %s is meant %zu times and asked for %zu times", matrix->verbs[i].name, meant, asked);
    }
}

static inline enum err matrix_ask(struct channel *channel, const char *verb, struct why *why)
{
    AUTO_BUF answer = { 0 };
    return channel_call(channel, verb, BYTES_LIT("\x30\x00"), test_patience_s() * 1000, &answer, why);
}

static inline void matrix_of_channel(const struct matrix *matrix, const char *peer, struct channel *channel)
{
    for (size_t v = 0; v < MATRIX_VERBS; v++) {
        struct why why = { 0 };
        bool meant = matrix_means(matrix, matrix_verbs[v], peer);
        ASSERT_ERR(ERR_NOT_AUTHORISED, matrix_ask(channel, matrix_verbs[v], &why), &why);
        if (!strstr(why.text, meant ? "may not run" : "is not for"))
            fail_msg("%s %s \"%s\": %s", peer, meant ? "does not reach" : "reaches", matrix_verbs[v], why.text);
    }
    for (size_t v = 0; v < MATRIX_NO_VERBS; v++) { /* the next call connects anew */
        struct why why = { 0 };
        ASSERT_ERR(ERR_UNAVAILABLE, matrix_ask(channel, matrix_no_verbs[v], &why), &why);
    }
}

static inline void matrix_of_peer(const struct matrix *matrix, const char *peer)
{
    struct fixture fixture = { 0 };
    const struct pool_config pool = { .threads = 2, .queue = 16 };
    fixture_open_with(&fixture, &pool, matrix->verbs, matrix->count, LIMIT_FRAME_BYTES);
    fixture.forbids = true;
    fixture_listen(&fixture, peer, -1);
    fixture_start(&fixture);
    struct channel *channel = channel_to(&fixture, peer);
    matrix_of_channel(matrix, peer, channel);
    channel_free(channel);
    fixture_close(&fixture);
}

static inline void matrix_check(const struct matrix *matrix)
{
    matrix_is_whole(matrix);
    for (size_t p = 0; p < MATRIX_PEERS; p++)
        matrix_of_peer(matrix, matrix_peers[p]);
}
