/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: IIS compares them without regard to case and takes a final slash, and so do the URLs that people typed into
   their profiles. */
#pragma once
#include "base/bytes.h"

/* Percent-decoded, in lower case, without a final slash; NULL for what is no path (bad escape, NUL, control characters).
   Caller frees. */
char *path_normalise(struct bytes path);
