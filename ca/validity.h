/* SPDX-License-Identifier: Apache-2.0 */
/* How long a certificate will be valid, as far as the request has a say in it (spec ca.md, Validity). */
#pragma once
#include "ca/template.h"

/* The template's validity; with EDITF_ATTRIBUTEENDDATE on at the CA a shorter one that the request asks for by its enrollment
   name/value pairs ValidityPeriod ("Years") and ValidityPeriodUnits ("2"). Android's Company Portal writes the two the other
   way round. Never longer than the template's; issuing never goes past the CA's own end. A pair that is incomplete or cannot
   be read is a wish that was not understood: the template's. Apple devices write none, so theirs is always the template's. */
int64_t validity_of(const struct issuer *issuer, const struct template *template, const struct csr *csr);
