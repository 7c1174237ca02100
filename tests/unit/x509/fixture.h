/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of certificates, requests and CRLs share: keys, names, a good set of certificate parameters. */
#pragma once
#include "base/auto.h"
#include "base/file.h"
#include "tests/unit/test.h"
#include "x509/cert.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/san.h"

#define FIXTURE_NOW 1790000000                               /* 2026-09-21 */

struct key *fixture_key(enum key_kind kind);                 /* RSA: 2048 bits */
struct buf fixture_name(const char *text);
struct buf fixture_san(const char *text);                    /* one name, wrapped */
struct buf fixture_file(const char *relative);               /* under tests/data */
struct buf fixture_hex(const char *hex);
/* OK parameters for a leaf of `key`, whose views stay the caller's. */
struct tbs_params fixture_leaf(const struct key *key, struct bytes issuer, struct bytes subject);
struct tbs_params fixture_ca(const struct key *key, struct bytes subject);
/* A certificate with these parameters, linted and signed. */
struct buf fixture_certificate(const struct tbs_params *params, const struct key *signer);
/* Signs a TBSCertificate or TBSCertList. */
struct buf fixture_sign(struct bytes tbs, const struct key *key);
