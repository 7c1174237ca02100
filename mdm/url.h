/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that devices and connectors are sent to. */
#pragma once
#include "base/bytes.h"

/* NULL when it is an absolute http or https URL with a host and without user, query and fragment; otherwise the rule that it breaks. */
const char *url_rule_broken(struct bytes url);
/* Labels with at least one dot between them: no scheme, port, path, address or wildcard. */
bool host_is_qualified(struct bytes host);
