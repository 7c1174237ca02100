/* SPDX-License-Identifier: Apache-2.0 */
/* chancery template: what certificates look like. */
#include "cli/ask.h"

ASK_COMMAND(template_list, "template", "list", "", "list certificate templates", .role = "ca",
            .verb = "template_list", .show = ASK_LIST)
ASK_COMMAND(template_show, "template", "show", "NAME [--version N]",
            "show one template, or a version that was in force before", .role = "ca", .verb = "template_show",
            .operands = { "name" }, .options = { "version" }, .show = ASK_RECORD)
ASK_COMMAND(template_new, "template", "new", "NAME [--from TEMPLATE] [PROPERTY=VALUE …]",
            "make a template; it is not published yet", .role = "ca", .verb = "template_new",
            .operands = { "name" }, .options = { "from" }, .pairs = true, .show = ASK_RECORD)
ASK_COMMAND(template_copy, "template", "copy", "TEMPLATE NAME [PROPERTY=VALUE …]",
            "make a template that is like another one; it is not published yet", .role = "ca",
            .verb = "template_new", .operands = { "from", "name" }, .pairs = true, .show = ASK_RECORD)
ASK_COMMAND(template_set, "template", "set", "NAME [--expect-version N] PROPERTY=VALUE …",
            "change a template, which makes its next version", .role = "ca", .verb = "template_set",
            .operands = { "name" }, .options = { "expect-version" }, .pairs = true, .show = ASK_RECORD)
ASK_COMMAND(template_publish, "template", "publish", "NAME", "let endpoints issue by a template",
            .role = "ca", .verb = "template_publish", .operands = { "name" }, .show = ASK_RECORD)
ASK_COMMAND(template_unpublish, "template", "unpublish", "NAME",
            "let nothing be issued by a template any more", .role = "ca", .verb = "template_unpublish",
            .operands = { "name" }, .show = ASK_RECORD)
ASK_COMMAND(template_delete, "template", "delete", "NAME",
            "delete a template that no endpoint, template or waiting request names", .role = "ca",
            .verb = "template_delete", .operands = { "name" }, .show = ASK_LIST)
