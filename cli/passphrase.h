/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from a person: a terminal without echo, or a line of standard input or of a private file. */
#pragma once
#include "base/secret.h"

/* From path when it is not NULL; from the terminal, asked twice; or one line of standard input when that is no terminal. */
NODISCARD enum err passphrase_read(const char *path, const char *prompt, struct secret *ret, struct why *why);
/* The same for a secret that exists already: the terminal asks once, since what it opens tells whether it is right. */
NODISCARD enum err passphrase_read_known(const char *path, const char *prompt, struct secret *ret, struct why *why);
