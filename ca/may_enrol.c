/* SPDX-License-Identifier: Apache-2.0 */
/* The rights that an enrolment takes. */
#include "ca/may_enrol.h"

#include "base/fault.h"
#include "ca/right_store.h"

enum err may_enrol(struct ca *ca, const struct issuer *issuer, const char *principal,
                   struct bytes template_name, struct why *why)
{
    AUTO_STR name = xstrndup((const char *)template_name.data, template_name.len);
    const struct right_question needed[] = { { principal, issuer->name, NULL, RIGHT_REQUEST },
                                             { principal, issuer->name, name, RIGHT_READ },
                                             { principal, issuer->name, name, RIGHT_ENROLL } };
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        struct why inner = { 0 };
        if (!FAULT(may_enrol) && right_check(ca, &needed[i], &inner) != OK)
            return fail(why, ERR_TEMPLATE_DENIED, "%s", inner.text);
    }
    return OK;
}
