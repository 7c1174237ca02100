/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says about subjects, made into a Name. The grammar is CertStrToName's (x509/name.h); variables stand in
   values, and are filled in when quotes and escapes are gone. */
#pragma once
#include "mdm/variable.h"

enum subject_kind {
    SUBJECT_UNSET, SUBJECT_NOT_CONFIGURED, SUBJECT_COMMON_NAME, SUBJECT_COMMON_NAME_AND_EMAIL, SUBJECT_EMAIL, SUBJECT_IMEI,
    SUBJECT_SERIAL_NUMBER, SUBJECT_CUSTOM, SUBJECT_KIND_COUNT
};
extern const struct words subject_kind_words;

/* The text that a kind stands for; "" for not configured, NULL for the kinds that have none. */
const char *subject_kind_text(enum subject_kind kind);
/* The whole Name of this holder. Its own errors: ERR_PROFILE_VALUE where a variable has no value, ERR_PROFILE_DEVICE where a value
   makes no name. For holder NULL with the variables' samples, which is the check when a profile is saved: ERR_PROFILE. */
NODISCARD enum err subject_make(const char *text, const struct scope *scope, const struct holder *holder, struct buf *ret_name,
                                struct why *why);
