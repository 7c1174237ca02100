/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as they were read a moment ago: every enrolment needs one, and they hardly ever change. */
#pragma once
#include "ca/template.h"

struct template_cache;
struct template_cache *template_cache_new(struct store *store);   /* store is borrowed */
void template_cache_free(struct template_cache *cache);
/* As template_load, at most TEMPLATE_KEEP_MS old; *ret is the caller's, to free. */
NODISCARD enum err template_cache_find(struct template_cache *cache, struct bytes name, struct template **ret,
                                       struct why *why);
/* The next find reads the store: for whoever has just changed a template. */
void template_cache_forget(struct template_cache *cache);
