/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, in the order of the help text. A new command is a row here and a file beside it. */
#include "cli/command.h"

extern const struct command command_init, command_status, command_config_show, command_password_new,
    command_password_set, command_request_list, command_request_show, command_request_approve,
    command_request_deny, command_request_export, command_request_refused, command_cert_list,
    command_cert_show, command_cert_export, command_cert_revoke, command_cert_release, command_template_list,
    command_template_show, command_authority_list, command_authority_show, command_authority_add,
    command_authority_set, command_authority_remove, command_right_list, command_right_grant,
    command_right_revoke, command_right_deny, command_template_export, command_crl_publish, command_crl_show,
    command_crl_export;

const struct command *const commands[] = {
    &command_init,           &command_status,         &command_config_show,     &command_password_new,
    &command_password_set,   &command_request_list,   &command_request_show,    &command_request_approve,
    &command_request_deny,   &command_request_export, &command_request_refused, &command_cert_list,
    &command_cert_show,      &command_cert_export,    &command_cert_revoke,     &command_cert_release,
    &command_template_list,  &command_template_show,  &command_template_export, &command_right_list,
    &command_right_grant,    &command_right_revoke,   &command_right_deny,      &command_authority_list,
    &command_authority_show, &command_authority_add,  &command_authority_set,   &command_authority_remove,
    &command_crl_publish,    &command_crl_show,       &command_crl_export,      NULL,
};
