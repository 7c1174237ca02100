/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crp.h"

enum err crp_open(const struct kept_key_source *source, int64_t now, struct kept_key **ret, struct why *why)
{
    static const struct kept_key_kind kind = { .prefix = "crp",
                                               .subject = "CN=Certificate Registration Point",
                                               .name = "CRP key",
                                               .key_usage = KU_KEY_AGREEMENT,
                                               .validity_s = CRP_VALIDITY_S,
                                               .renew_before_s = CRP_RENEW_BEFORE_S,
                                               .kept_s = CRP_KEPT_S };
    return kept_key_open(&kind, source, now, ret, why);
}
