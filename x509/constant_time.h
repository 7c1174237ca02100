/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons and choices that neither branch nor index on what they look at: for padding, where the time taken would
   be the oracle of spec security.md B1 and B2. A mask is 0xFF for yes and 0x00 for no. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Keeps the compiler from learning what a value can be, and so from turning masks back into branches. */
static inline uint32_t ct_hide(uint32_t value)
{
    __asm__("" : "+r"(value));
    return value;
}
static inline uint8_t ct_is_zero(uint32_t value)
{
    uint32_t hidden = ct_hide(value);
    return (uint8_t)(0u - ((~hidden & (hidden - 1)) >> 31));
}
static inline uint8_t ct_equal(uint32_t a, uint32_t b)
{
    return ct_is_zero(a ^ b);
}
/* a < b, both below 2^31 */
static inline uint8_t ct_less(uint32_t a, uint32_t b)
{
    return (uint8_t)(0u - (ct_hide(a - b) >> 31));
}
/* to = mask ? from : to */
static inline void ct_replace(uint8_t mask, uint8_t *to, const uint8_t *from, size_t len)
{
    uint8_t take = (uint8_t)ct_hide(mask);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)((from[i] & take) | (to[i] & ~take));
}
