/* SPDX-License-Identifier: Apache-2.0 */
/* chancery authority: services that ask for certificates of others, and the limits that they can't change. */
#include "cli/ask.h"

#define LIMITS                                                                                               \
    "NAME [--templates NAME,...] [--suffixes KIND:SUFFIX,...] [--denied PATTERN,...] [--eku PURPOSE,...] "   \
    "[--device N] [--issues N] [--revocations N] [--certificate FILE] [--ca CA]"
#define CHANGE(id, help_)                                                                                    \
    ASK_COMMAND(authority_##id, "authority", #id, LIMITS, help_, .role = "ca", .verb = "authority_" #id,     \
                .operands = { "name" },                                                                      \
                .options = { "templates", "suffixes", "denied", "eku", "device", "issues", "revocations",    \
                             "@certificate", "ca" },                                                         \
                .show = ASK_RECORD)

ASK_COMMAND(authority_list, "authority", "list", "[--ca CA]", "list authorities and their limits",
            .role = "ca", .verb = "authority_list", .options = { "ca" }, .show = ASK_LIST)
ASK_COMMAND(authority_show, "authority", "show", "NAME [--ca CA]", "show one authority's limits",
            .role = "ca", .verb = "authority_show", .operands = { "name" }, .options = { "ca" },
            .show = ASK_RECORD)
CHANGE(add, "let a service ask for certificates of others, within these limits")
CHANGE(set, "change an authority's limits; what is not given stays")
ASK_COMMAND(authority_remove, "authority", "remove", "NAME [--ca CA]", "take an authority's rights away",
            .role = "ca", .verb = "authority_remove", .operands = { "name" }, .options = { "ca" },
            .show = ASK_RECORD)
