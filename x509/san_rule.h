/* SPDX-License-Identifier: Apache-2.0 */
/* What the value of one subject alternative name may look like. */
#pragma once
#include "x509/san.h"

NODISCARD enum err san_rule_check(const struct san_name *name, struct why *why);
/* Absolute URI of RFC 3986's characters: also for CDP and AIA. */
bool san_rule_uri(struct bytes uri);
