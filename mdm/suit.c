/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/suit.h"

#include "base/fault.h"

static const char *shown(const char *text)
{
    return text ? text : "";
}

enum err suit_refuse(const struct holder *holder, const char *reason, struct why *why)
{
    return fail(why, ERR_PROFILE_DEVICE, "device \"%.60s\" (%.36s) %s", shown(holder->device->name),
                shown(holder->device->id), reason);
}

static enum suit device_judge(const struct profile *profile, const struct device *device, struct buf *reason)
{
    if (device->platform != profile->platform && !FAULT(preview_platform)) {
        buf_printf(reason, "is of platform %s, the profile is for %s",
                   word_name(&platform_words, (int)device->platform),
                   word_name(&platform_words, (int)profile->platform));
        return SUIT_NOT_PLATFORM;
    }
    if (device->state != DEVICE_ENROLLED && !FAULT(preview_enrolled)) {
        buf_printf(reason, "is %s; profiles go to enrolled ones",
                   word_name(&device_state_words, (int)device->state));
        return SUIT_NOT_STATE;
    }
    if (!android_mode_takes(device->mode, profile->type)) {
        buf_printf(reason, "is %s; %s profiles do not go there",
                   word_name(&android_mode_words, (int)device->mode),
                   word_name(&profile_type_words, (int)profile->type));
        return SUIT_NOT_MODE;
    }
    return SUIT_YES;
}

static enum suit user_judge(const struct profile *profile, const struct user *user, struct buf *reason)
{
    if (profile->kind != CERTIFICATE_USER || (user && user->enabled && !user->deleted))
        return SUIT_YES;
    if (!user)
        buf_append_str(reason, "has no user, the certificate is of type user");
    else if (FAULT(preview_user))
        return SUIT_YES;
    else
        buf_printf(reason, "has user %.80s, who is %s; certificates of type user are for enabled ones",
                   shown(user->upn), user->deleted ? "deleted" : "disabled");
    return SUIT_NOT_USER;
}

enum err suit_check(const struct profile *profile, const struct holder *holder, enum suit *ret,
                    struct why *why)
{
    AUTO_BUF reason = { 0 };
    enum suit suit = device_judge(profile, holder->device, &reason);
    if (suit == SUIT_YES)
        suit = user_judge(profile, holder->user, &reason);
    if (ret)
        *ret = suit;
    return suit == SUIT_YES ? OK : suit_refuse(holder, buf_text(&reason), why);
}
