/* SPDX-License-Identifier: Apache-2.0 */
/* The table of platforms. */
#include "mdm/platform.h"

#define TRUSTED  (1u << PROFILE_TRUSTED)
#define SCEP     (1u << PROFILE_SCEP)
#define PKCS     (1u << PROFILE_PKCS)
#define IMPORTED (1u << PROFILE_IMPORTED)
#define ALL      (TRUSTED | SCEP | PKCS | IMPORTED)

/* linux is ours, beyond the guides: it has what the agent needs and nothing that only Windows or Apple know. */
static const struct {
    unsigned types, settings;
} rows[PLATFORM_COUNT] = {
    [PLATFORM_ANDROID] = { ALL, SETTING_VALIDITY | SETTING_HASH },
    [PLATFORM_ANDROID_ENTERPRISE] = { ALL, SETTING_DEVICE_CERTIFICATE | SETTING_VALIDITY | SETTING_HASH },
    [PLATFORM_IOS] = { ALL, SETTING_DEVICE_CERTIFICATE },
    [PLATFORM_MACOS] = { ALL, SETTING_DEVICE_CERTIFICATE | SETTING_ALL_APPS },
    [PLATFORM_WINDOWS_PHONE_81] = { TRUSTED | SCEP | IMPORTED,
                                    SETTING_VALIDITY | SETTING_HASH | SETTING_KEY_STORAGE | SETTING_STORE },
    [PLATFORM_WINDOWS_81] = { TRUSTED | SCEP, SETTING_DEVICE_CERTIFICATE | SETTING_VALIDITY | SETTING_HASH |
                                                  SETTING_KEY_STORAGE | SETTING_STORE | SETTING_DOMAIN },
    [PLATFORM_WINDOWS_10] = { ALL, SETTING_DEVICE_CERTIFICATE | SETTING_VALIDITY | SETTING_HASH |
                                       SETTING_KEY_STORAGE | SETTING_PASSPORT | SETTING_STORE |
                                       SETTING_DOMAIN | SETTING_OWN_ROOT },
    [PLATFORM_LINUX] = { ALL, SETTING_DEVICE_CERTIFICATE | SETTING_VALIDITY | SETTING_HASH },
};

static const char *const platform_names[] = {
    [PLATFORM_NONE] = NULL,
    [PLATFORM_ANDROID] = "android",
    [PLATFORM_ANDROID_ENTERPRISE] = "android-enterprise",
    [PLATFORM_IOS] = "ios",
    [PLATFORM_MACOS] = "macos",
    [PLATFORM_WINDOWS_PHONE_81] = "windows-phone-81",
    [PLATFORM_WINDOWS_81] = "windows-81",
    [PLATFORM_WINDOWS_10] = "windows-10",
    [PLATFORM_LINUX] = "linux",
};
static const char *const type_names[] = {
    [PROFILE_NONE] = NULL,   [PROFILE_TRUSTED] = "trusted-certificate", [PROFILE_SCEP] = "scep",
    [PROFILE_PKCS] = "pkcs", [PROFILE_IMPORTED] = "pkcs-imported",
};
static const char *const mode_names[] = {
    [ANDROID_MODE_NONE] = NULL,
    [ANDROID_WORK_PROFILE] = "work-profile",
    [ANDROID_FULLY_MANAGED] = "fully-managed",
    [ANDROID_DEDICATED] = "dedicated",
};
const struct words platform_words = WORDS(platform_names);
const struct words profile_type_words = WORDS(type_names);
const struct words android_mode_words = WORDS(mode_names);

bool platform_takes(enum platform platform, enum profile_type type)
{
    return type != PROFILE_NONE && (rows[platform].types & 1u << type);
}

bool platform_has(enum platform platform, enum setting setting)
{
    return rows[platform].settings & setting;
}

/* Those whose bit is set in `which`. */
static void append_platforms(struct buf *out, unsigned which)
{
    const char *names[PLATFORM_COUNT];
    struct words words = { names, 0 };
    for (int i = 0; i < PLATFORM_COUNT; i++)
        if (which & 1u << i)
            names[words.count++] = platform_names[i];
    words_append(out, &words);
}

void platforms_append_having(struct buf *out, enum setting setting)
{
    unsigned which = 0;
    for (int i = 0; i < PLATFORM_COUNT; i++)
        which |= platform_has((enum platform)i, setting) ? 1u << i : 0;
    append_platforms(out, which);
}

void platforms_append_taking(struct buf *out, enum profile_type type)
{
    unsigned which = 0;
    for (int i = 0; i < PLATFORM_COUNT; i++)
        which |= platform_takes((enum platform)i, type) ? 1u << i : 0;
    append_platforms(out, which);
}

bool android_mode_takes(enum android_mode mode, enum profile_type type)
{
    bool whole_device = mode == ANDROID_FULLY_MANAGED || mode == ANDROID_DEDICATED;
    return !whole_device || type == PROFILE_TRUSTED || type == PROFILE_SCEP;
}
