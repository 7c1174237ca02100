/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what an administrator wants on devices of one platform. Everything here was asked for; whether it may be is said by
   mdm/profile_check.h, what becomes of it on one device by mdm/preview.h. Id and version are the store's. */
#pragma once
#include "base/limits.h"
#include "mdm/san_format.h"
#include "mdm/subject_format.h"

enum destination_store { STORE_NONE, STORE_COMPUTER_ROOT, STORE_COMPUTER_INTERMEDIATE, STORE_USER_INTERMEDIATE, STORE_COUNT };
enum key_storage { KEY_STORAGE_NONE, KEY_STORAGE_TPM_ELSE_SOFTWARE, KEY_STORAGE_TPM, KEY_STORAGE_PASSPORT, KEY_STORAGE_SOFTWARE,
                   KEY_STORAGE_COUNT };
enum profile_hash { HASH_NONE, HASH_SHA_1, HASH_SHA_2, HASH_COUNT };
enum intended_purpose { PURPOSE_NONE, PURPOSE_UNASSIGNED, PURPOSE_SMIME_ENCRYPTION, PURPOSE_SMIME_SIGNING, PURPOSE_COUNT };
enum validity_unit { UNIT_NONE, UNIT_DAYS, UNIT_MONTHS, UNIT_YEARS, UNIT_COUNT };
extern const struct words destination_store_words, key_storage_words, profile_hash_words, intended_purpose_words,
    validity_unit_words;

struct validity_period { int64_t number; enum validity_unit unit; };         /* UNIT_NONE: the template's */
/* A month of 30 days and a year of 365, as ca reads them. 0: the template's. */
int64_t validity_seconds(const struct validity_period *period);

struct key_purpose { char *name; char *oid; };               /* "Client Authentication", dotted */

struct profile {
    char *name, *description;
    enum profile_type type;
    enum platform platform;
    /* trusted-certificate */
    struct buf certificate;                                  /* DER */
    enum destination_store store;
    /* scep and pkcs */
    enum certificate_kind kind;
    enum subject_kind subject_kind;
    char *subject;                                           /* custom: the text with variables */
    struct san_row sans[LIMIT_PROFILE_SANS]; size_t san_count;
    struct validity_period validity;
    enum key_storage key_storage;                            /* pkcs-imported too */
    char *root_certificate;                                  /* name of a trusted-certificate profile */
    struct key_purpose purposes[LIMIT_PROFILE_PURPOSES]; size_t purpose_count;
    int64_t renewal_threshold;                               /* % of the lifetime that remains */
    /* scep */
    uint16_t key_usage;
    int64_t key_size;
    enum profile_hash hash;
    char *urls[LIMIT_PROFILE_URLS]; size_t url_count;
    /* pkcs */
    char *authority, *authority_name, *template_name;
    bool all_apps;
    /* pkcs-imported */
    enum intended_purpose intended_purpose;
};
void profile_free(struct profile *profile);
struct scope profile_scope(const struct profile *profile);
/* The text of its subject, custom or not; of a device it is always custom. */
const char *profile_subject(const struct profile *profile);
/* Where Windows puts a trusted certificate; STORE_NONE elsewhere. */
enum destination_store profile_store(const struct profile *profile);
