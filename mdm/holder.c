/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/holder.h"

#include "mdm/device_store.h"
#include "mdm/user_store.h"

void kept_holder_free(struct kept_holder *holder)
{
    device_free(&holder->device);
    user_free(&holder->user);
}

enum err holder_load(struct store_tx *tx, const char *device, struct kept_holder *ret, struct why *why)
{
    TRY(device_load(tx, device, &ret->device, why));
    return ret->device.owner ? user_load(tx, ret->device.owner, &ret->user, why) : OK;
}

struct holder holder_of(const struct kept_holder *kept)
{
    return (struct holder){ kept->user.id ? &kept->user : NULL, &kept->device };
}
