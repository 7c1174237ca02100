/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms (spec profiles.md): what kinds of profiles each takes, and which of their settings it knows. */
#pragma once
#include "mdm/word.h"

enum platform {
    PLATFORM_NONE, PLATFORM_ANDROID, PLATFORM_ANDROID_ENTERPRISE, PLATFORM_IOS, PLATFORM_MACOS, PLATFORM_WINDOWS_PHONE_81,
    PLATFORM_WINDOWS_81, PLATFORM_WINDOWS_10, PLATFORM_LINUX, PLATFORM_COUNT
};
enum profile_type { PROFILE_NONE, PROFILE_TRUSTED, PROFILE_SCEP, PROFILE_PKCS, PROFILE_IMPORTED, PROFILE_TYPE_COUNT };
/* How Android Enterprise manages a device; other platforms have none. */
enum android_mode { ANDROID_MODE_NONE, ANDROID_WORK_PROFILE, ANDROID_FULLY_MANAGED, ANDROID_DEDICATED, ANDROID_MODE_COUNT };

extern const struct words platform_words, profile_type_words, android_mode_words;

/* What some platforms know and others do not. */
enum setting {
    SETTING_DEVICE_CERTIFICATE = 1 << 0,                     /* certificates without a user */
    SETTING_VALIDITY = 1 << 1,                               /* a validity of its own; without: always the template's */
    SETTING_KEY_STORAGE = 1 << 2,
    SETTING_PASSPORT = 1 << 3,                               /* Windows Hello as key storage */
    SETTING_HASH = 1 << 4,
    SETTING_STORE = 1 << 5,                                  /* where a trusted certificate goes */
    SETTING_ALL_APPS = 1 << 6,                               /* any program may use the private key */
    SETTING_DOMAIN = 1 << 7,                                 /* a device can be joined to a domain, and has an FQDN then */
    SETTING_OWN_ROOT = 1 << 8,                               /* a pkcs profile goes without a root profile */
};
bool platform_takes(enum platform platform, enum profile_type type);
bool platform_has(enum platform platform, enum setting setting);
/* "android-enterprise, ios or macos": who has it, for messages. */
void platforms_append_having(struct buf *out, enum setting setting);
void platforms_append_taking(struct buf *out, enum profile_type type);
/* pkcs and pkcs-imported do not reach devices that are fully managed or dedicated. */
bool android_mode_takes(enum android_mode mode, enum profile_type type);
