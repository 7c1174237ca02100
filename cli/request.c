/* SPDX-License-Identifier: Apache-2.0 */
/* chancery request: what devices asked for, and the CA manager's decision on what waits. */
#include "cli/ask.h"

ASK_COMMAND(request_list, "request", "list",
            "[--ca CA] [--status issued,pending,denied,failed,sealing] [--before ID] [--limit N]",
            "list certification requests, newest first: all, or those of one disposition or several",
            .role = "ca", .verb = "request_list",
            .options = { "ca", "status", "disposition", "before", "limit" }, .show = ASK_LIST)
ASK_COMMAND(request_show, "request", "show", "ID [--ca CA]", "show one request", .role = "ca",
            .verb = "request_show", .operands = { "id" }, .options = { "ca" }, .show = ASK_RECORD)
ASK_COMMAND(request_approve, "request", "approve", "ID [--ca CA]", "issue a pending request", .role = "ca",
            .verb = "request_approve", .operands = { "id" }, .options = { "ca" }, .show = ASK_RECORD)
ASK_COMMAND(request_deny, "request", "deny", "ID [REASON] [--ca CA]", "deny a pending request", .role = "ca",
            .verb = "request_deny", .operands = { "id", "?reason" }, .options = { "ca" }, .show = ASK_RECORD)
ASK_COMMAND(request_resubmit, "request", "resubmit", "ID [--ca CA]",
            "judge a failed or denied request anew, by the templates and rights of now, and issue it",
            .role = "ca", .verb = "request_resubmit", .operands = { "id" }, .options = { "ca" },
            .show = ASK_RECORD)
ASK_COMMAND(request_export, "request", "export", "ID [--ca CA]",
            "print one request as JSON, with its CertificationRequestInfo (the challenge blanked) and its "
            "certificate in base64",
            .role = "ca", .verb = "request_export", .operands = { "id" }, .options = { "ca" },
            .show = ASK_JSON)
ASK_COMMAND(request_refused, "request", "refused", "[--limit N]",
            "list the latest refusals of requests that nobody vouched for (kept until the service restarts)",
            .role = "ca", .verb = "refusal_list", .options = { "limit" }, .show = ASK_LIST)
