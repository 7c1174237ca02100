/* SPDX-License-Identifier: Apache-2.0 */
/* chancery template: what certificates look like. */
#include "cli/ask.h"

ASK_COMMAND(template_list, "template", "list", "", "list certificate templates", .role = "ca",
            .verb = "template_list", .show = ASK_LIST)
ASK_COMMAND(template_show, "template", "show", "NAME", "show one template", .role = "ca",
            .verb = "template_show", .operands = { "name" }, .show = ASK_RECORD)
ASK_COMMAND(template_export, "template", "export", "NAME", "print one template as JSON", .role = "ca",
            .verb = "template_export", .operands = { "name" }, .show = ASK_JSON)
