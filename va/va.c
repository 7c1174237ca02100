/* SPDX-License-Identifier: Apache-2.0 */
/* The va role's context. */
#include "va/va.h"

#include "ipc/ca_client.h"

enum err va_new(const struct va_config *config, struct va **ret, struct why *why)
{
    AUTO(va) va = xcalloc(1, sizeof(*va));
    const struct cache_config cache = { config->cache_entries, config->validity_s };
    va->clock = config->clock;
    va->pool = config->pool;
    va->ca = config->ca;
    va->validity_s = config->validity_s;
    va->max_age_s = config->max_age_s;
    va->published = published_new(config->published_dir);
    TRY(cache_new(&cache, &va->cache, why));
    *ret = TAKE(va);
    return OK;
}

void va_free(struct va *va)
{
    if (!va)
        return;
    for (size_t i = 0; i < va->authority_count; i++)
        authority_free(va->authorities[i]);
    cache_free(va->cache);
    published_free(va->published);
    ca_client_free(va->ca);
    free(va);
}

enum err va_add_authority(struct va *va, const struct authority_params *params, struct why *why)
{
    if (va->authority_count == LIMIT_VA_AUTHORITIES)
        return fail(why, ERR_CONFIG, "more than %d ca sections", LIMIT_VA_AUTHORITIES);
    struct authority *authority = authority_new(params, (unsigned)va->authority_count);
    va->authorities[va->authority_count++] = authority;
    return OK;
}

struct authority *va_find_authority(const struct va *va, const struct ocsp_cert_id *id, bool *ret_all_known)
{
    *ret_all_known = true;
    for (size_t i = 0; i < va->authority_count; i++) {
        struct authority *authority = va->authorities[i];
        if (!authority_has_ocsp(authority))
            continue;
        bool known = authority_is_known(authority);
        *ret_all_known = *ret_all_known && known;
        if (known && authority_is(authority, id))
            return authority;
    }
    return NULL;
}
