/* SPDX-License-Identifier: Apache-2.0 */
/* A user and a device. */
#pragma once
#include "mdm/variable.h"
#include "tests/unit/test.h"
#include "tests/unit/x509/fixture.h"

#define SCOPE(kind_, platform_) (&(struct scope){ CERTIFICATE_##kind_, PLATFORM_##platform_ })

/* Anna, with every value. */
const struct user *fixture_user(void);
/* Hers, with every value: Windows 10, in a domain. */
const struct device *fixture_device(void);
const struct holder *fixture_holder(void);
