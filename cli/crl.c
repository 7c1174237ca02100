/* SPDX-License-Identifier: Apache-2.0 */
/* chancery crl: what is revoked, published. */
#include "cli/ask.h"

ASK_COMMAND(crl_publish, "crl", "publish", "CA [full|delta] [--partition N]", "publish a new CRL now",
            .role = "ca", .verb = "crl_publish", .operands = { "ca", "?kind" }, .options = { "partition" },
            .show = ASK_RECORDS)
ASK_COMMAND(crl_show, "crl", "show", "CA [full|delta] [--partition N]",
            "show the current CRL's number, times and size", .role = "ca", .verb = "crl_show",
            .operands = { "ca", "?kind" }, .options = { "partition" }, .show = ASK_RECORDS)
ASK_COMMAND(crl_export, "crl", "export", "CA [full|delta] [--partition N]", "print the current CRL as PEM",
            .role = "ca", .verb = "crl_export", .operands = { "ca", "?kind" }, .options = { "partition" },
            .show = ASK_FIELD, .field = "pem")
