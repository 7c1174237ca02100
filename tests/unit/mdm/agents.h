/* SPDX-License-Identifier: Apache-2.0 */
/* A directory with a device CA, and devices that ask. */
#pragma once
#include "mdm/agent/agent.h"
#include "mdm/device_ca.h"
#include "tests/unit/mdm/directory.h"

int agents_begin(void **state);
int agents_end(void **state);

/* A POST with JSON; cert: DER, empty for none. Gives the status; the answer is the directory's. */
int agent_post(const char *path, const char *body, struct bytes cert);
int agent_post_from(const char *path, const char *body, struct bytes cert, const char *peer);
/* A token of the administrator; static, good until the next one but three. */
const char *token_made(const char *body);
/* A PKCS#10 of a new P-256 key, in base64; the caller frees it. */
char *csr_text(void);
/* Enrols; device: the member's JSON. Gives the status. */
int enrolled_by(const char *token, const char *device);
/* The certificate of the last answer, DER; the caller frees it. */
struct buf certificate_answered(void);
/* Makes a token, enrols with it, and demands that. */
struct buf device_enrolled(const char *token_body, const char *device);
#define A(name) cmocka_unit_test_setup_teardown(name, agents_begin, agents_end)
