/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with variables: "{{AzureADDeviceId}}.example.com". A variable's value is put there as it is and never read as part of
   the text. */
#pragma once
#include "mdm/variable.h"

struct value_format {
    struct bytes text;
    const struct scope *scope;
    const char *refused;                                     /* characters that static text may not have, beside braces */
};
struct value_piece { const struct variable *variable;        /* NULL: static text */
                     struct bytes text; };
/* The next piece from *at on; *ret_more is false behind the last. ERR_PROFILE: braces that enclose no variable, a refused
   character, an unknown variable. */
NODISCARD enum err value_format_next(const struct value_format *format, size_t *at, struct value_piece *ret, bool *ret_more,
                                     struct why *why);
/* What it is for this holder; for NULL with the variables' samples. A distinguished name is no part of a text: ERR_PROFILE. */
NODISCARD enum err value_format_expand(const struct value_format *format, const struct holder *holder, struct buf *ret, struct why *why);
/* Is it nothing but this one variable? *ret_only is NULL otherwise. */
NODISCARD enum err value_format_only(const struct value_format *format, const struct variable **ret_only, struct why *why);
