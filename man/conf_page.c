/* SPDX-License-Identifier: Apache-2.0 */
/* Makes chancery.conf(5): the page's text around the option table that the program itself judges by. */
#include "base/file.h"
#include "base/limits.h"
#include "config/config.h"
#include <stdio.h>

#define PLACE "@OPTIONS@\n"

int main(int argc, char **argv)
{
    struct why why = { 0 };
    AUTO_BUF page = { 0 };
    AUTO_BUF options = { 0 };
    if (argc != 2 || file_read(argv[1], LIMIT_TEXT_FILE_BYTES, &page, &why) != OK) {
        fprintf(stderr, "usage: conf_page TEMPLATE %s\n", why.text);
        return 2;
    }
    const char *text = buf_text(&page), *place = strstr(text, PLACE);
    if (!place)
        return 1;
    options_manual(&options);
    printf("%.*s%.*s%s", (int)(place - text), text, (int)options.len, (const char *)options.data,
           place + strlen(PLACE));
    return 0;
}
