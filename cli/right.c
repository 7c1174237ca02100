/* SPDX-License-Identifier: Apache-2.0 */
/* chancery right: who may do what with a CA, and with the certificates of a template. */
#include "cli/ask.h"

#define CHANGE(id, verb_, help_)                                                                             \
    ASK_COMMAND(right_##id, "right", verb_, "PRINCIPAL RIGHT[,RIGHT...] [--template NAME] [--ca CA]", help_, \
                .role = "ca", .verb = "right_" verb_, .operands = { "principal", "rights" },                 \
                .options = { "template", "ca" }, .show = ASK_LIST)

ASK_COMMAND(right_list, "right", "list", "[--ca CA]", "list who may do what", .role = "ca",
            .verb = "right_list", .options = { "ca" }, .show = ASK_LIST)
CHANGE(grant, "grant",
       "allow: read, enroll, issue or manage on a template; read, request, issue, manage or audit on a CA")
CHANGE(revoke, "revoke", "take back what was granted or denied: less specific rules decide then")
CHANGE(deny, "deny", "deny, whatever less specific rules allow")
