/* SPDX-License-Identifier: Apache-2.0 */
/* chancery audit: who decided what. */
#include "cli/ask.h"

ASK_COMMAND(audit_list, "audit", "list",
            "[--ca CA] [--of templates] [--since TIME|30d] [--action WORD] [--actor WORD] [--before ID] "
            "[--limit N]",
            "list the audit trail of a CA, or that of the templates, which all CAs share, newest first",
            .role = "ca", .verb = "audit_list",
            .options = { "ca", "of", "since", "action", "actor", "before", "limit" }, .show = ASK_LIST)
