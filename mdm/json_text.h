/* SPDX-License-Identifier: Apache-2.0 */
/* It is http's, where scep has it, too. */
#pragma once
#include "http/json_text.h"
