/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/user.h"

void user_free(struct user *user)
{
    free(user->id);
    free(user->upn);
    free(user->name);
    free(user->email);
    free(user->distinguished_name);
    free(user->sam_name);
    free(user->sid);
    *user = (struct user){ 0 };
}
