/* SPDX-License-Identifier: Apache-2.0 */
/* chancery request: what devices asked for, and the CA manager's decision on what waits. */
#include "cli/ask.h"

ASK_COMMAND(request_list, "request", "list", "[--disposition issued|pending|denied|failed] [--limit N]",
            "list certification requests, newest first", .role = "ca", .verb = "request_list",
            .options = { "disposition", "limit" }, .show = ASK_LIST)
ASK_COMMAND(request_show, "request", "show", "ID", "show one request", .role = "ca", .verb = "request_show",
            .operands = { "id" }, .show = ASK_RECORD)
ASK_COMMAND(request_approve, "request", "approve", "ID", "issue a pending request", .role = "ca",
            .verb = "request_approve", .operands = { "id" }, .show = ASK_RECORD)
ASK_COMMAND(request_deny, "request", "deny", "ID [REASON]", "deny a pending request", .role = "ca",
            .verb = "request_deny", .operands = { "id", "?reason" }, .show = ASK_RECORD)
