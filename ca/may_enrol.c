/* SPDX-License-Identifier: Apache-2.0 */
/* Each role has the templates of its own work: va signs OCSP answers, scep has its RA certificates. */
#include "ca/may_enrol.h"

#include "base/fault.h"
#include <string.h>

static const struct {
    const char *principal, *template_name;
} allowed[] = {
    { "role/va", "OCSPResponseSigning" },
    { "role/scep", "CEPEncryption" },
    { "role/scep", "EnrollmentAgentOffline" },
    { "role/scep", "RegistrationAuthority" },
};

enum err may_enrol(const char *principal, struct bytes template_name, struct why *why)
{
    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
        if (FAULT(may_enrol) || (strcmp(allowed[i].principal, principal) == 0 &&
                                 bytes_equal(bytes_str(allowed[i].template_name), template_name)))
            return OK;
    }
    return fail(why, ERR_NOT_AUTHORISED, "%s has no right Enroll on template %.*s", principal,
                (int)template_name.len, template_name.data);
}
