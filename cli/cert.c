/* SPDX-License-Identifier: Apache-2.0 */
/* chancery cert: the certificates that were issued. */
#include "cli/ask.h"

ASK_COMMAND(
    cert_list, "cert", "list",
    "[--ca CA] [--status valid|revoked] [--expiring 30d] [--before REQUEST] [--limit N]",
    "list issued certificates, newest first; or those that expire within hours or days, the first one first",
    .role = "ca", .verb = "cert_list", .options = { "ca", "status", "expiring", "before", "limit" },
    .show = ASK_LIST)
ASK_COMMAND(cert_show, "cert", "show", "SERIAL [--ca CA]", "show one certificate", .role = "ca",
            .verb = "cert_show", .operands = { "serial" }, .options = { "ca" }, .show = ASK_RECORD)
ASK_COMMAND(cert_export, "cert", "export", "SERIAL [--ca CA]", "print one certificate as PEM", .role = "ca",
            .verb = "cert_export", .operands = { "serial" }, .options = { "ca" }, .show = ASK_FIELD,
            .field = "pem")
ASK_COMMAND(cert_revoke, "cert", "revoke", "SERIAL [REASON] [--ca CA]",
            "revoke a certificate and publish it; all but a hold are final. Reasons, by name or number: "
            "unspecified 0, keyCompromise 1, cACompromise 2, affiliationChanged 3, superseded 4, "
            "cessationOfOperation 5, certificateHold 6, privilegeWithdrawn 9, aACompromise 10",
            .role = "ca", .verb = "cert_revoke", .operands = { "serial", "?reason" }, .options = { "ca" },
            .show = ASK_RECORD)
ASK_COMMAND(cert_release, "cert", "release", "SERIAL [--ca CA]",
            "make a certificate valid again that is on certificateHold, and publish it", .role = "ca",
            .verb = "cert_release", .operands = { "serial" }, .options = { "ca" }, .show = ASK_RECORD)
