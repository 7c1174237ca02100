/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser sees at a SCEP URL. The guides tell administrators to look for exactly these. */
#pragma once
#include "base/bytes.h"

#define ADMIN_PATH "/certsrv/mscep_admin/"
extern const char page_forbidden[];                          /* title and body: HTTP Error 403.0 - Forbidden */
extern const char page_information[];                        /* title: Network Device Enrollment Service */
