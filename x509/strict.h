/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of DER: what der_is_valid, which looks at lengths and nesting, leaves to whoever reads an element. Needed
   where elements are passed on that nobody here reads (parameters, unknown attributes). */
#pragma once
#include "x509/der.h"

/* der_is_valid, and is every element of a form that its universal type can have: content of BOOLEAN, INTEGER,
   ENUMERATED, BIT STRING, NULL, OBJECT IDENTIFIER, character strings of fixed width? Context-specific elements
   may hold anything. */
bool der_is_strict(struct bytes der);
