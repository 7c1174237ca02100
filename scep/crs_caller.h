/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks at CertificateRegistrationSvc. The TLS layer has verified the certificate against the anchors; what it says is judged here, for
   each request: a connection outlives no certificate. */
#pragma once
#include "http/server.h"
#include "scep/scep.h"

struct crs_allowed { char **names; size_t count; };          /* DNS names in lower case */
/* What IIS adds to a 403 in its access log, by which the guides tell the causes apart. */
enum crs_substatus { CRS_REQUIRED = 7, CRS_REVOKED = 13, CRS_UNTRUSTED = 16, CRS_NOT_IN_FORCE = 17 };
/* *ret_name: the allowed name that the certificate has, borrowed from allowed. ERR_NOT_AUTHORISED says what is wrong: none came, it
   is not trusted, has not the purpose clientAuth, is not in force, or is another's; *substatus says it in IIS's numbers. */
struct crs_question { const struct crs_allowed *allowed; const struct http_request *request; int64_t now; enum crs_substatus *substatus; };
NODISCARD enum err crs_caller_judge(const struct crs_question *question, const char **ret_name, struct why *why);
/* Does the CA that issued it stand by it? Asked of ca where it is one of ours; of others nobody here knows. Waits. ca_name and
   ca_cert: the CA of crp_ca, beside those of the endpoints. */
struct crs_standing { struct scep *scep; struct bytes certificate; const char *ca_name; const struct cert *ca_cert; };
NODISCARD enum err crs_caller_stands(const struct crs_standing *standing, struct why *why);
