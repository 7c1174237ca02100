/* SPDX-License-Identifier: Apache-2.0 */
/* What the bodies of base/sandbox.h share. */
#pragma once
#include "base/sandbox.h"

/* The one switch for builds with AddressSanitizer, whose leak check at the end clones, traces and reads /proc/self, and whose
   reports read the program: they keep that, and nothing else, beyond what the policy says. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED true
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED false
#endif

NODISCARD enum err landlock_enter(const struct sandbox_policy *policy, int *ret_abi, struct why *why);      /* 0: not in this kernel */
NODISCARD enum err seccomp_enter(const struct sandbox_policy *policy, bool *ret_entered, struct why *why);
NODISCARD enum err seccomp_enter_supervisor(struct why *why);
