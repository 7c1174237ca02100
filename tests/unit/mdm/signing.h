/* SPDX-License-Identifier: Apache-2.0 */
/* A directory with administrators who sign in, asked as over HTTPS. */
#pragma once
#include "mdm/api/credential.h"
#include "mdm/sign_in.h"
#include "tests/unit/mdm/directory.h"

#define ADMINS   "/api/v1/administrators"
#define SESSION  "/api/v1/session"
#define PASSWORD "correct horse battery"
#define HOME     "192.0.2.7"
#define IDLE     1800
#define LIFETIME 43200

int signing_begin(void **state);
int signing_end(void **state);
/* By the command line's socket: an administrator with a password, or with none where it is NULL. */
void administrator_made(const char *name, const char *roles, const char *password);
/* Over HTTPS; token NULL: nothing is shown. */
int ask_as(const char *token, enum http_method method, const char *target, const char *body);
int ask_shown(const struct credential_headers *headers, enum http_method method, const char *target, const char *body);
int signed_in(const char *name, const char *password, const char *peer);   /* tries to; the status */
/* Demands that it goes well; the token. The caller frees it. */
char *session_made(const char *name);
char *apitoken_made(const char *session, const char *name, const char *roles);
#define S(name) cmocka_unit_test_setup_teardown(name, signing_begin, signing_end)
