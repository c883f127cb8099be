/* SPDX-License-Identifier: MIT
 *
 * The two swishes, x times something that grows from 0 to 1: what layers may end in.
 */
#ifndef SPUR_KERNELS_SWISH_H
#define SPUR_KERNELS_SWISH_H

typedef enum spur__swish {
    SPUR__NO_SWISH,
    SPUR__HARD_SWISH, /* x * min(max(x + 3, 0), 6) / 6 (Howard et al., "Searching for MobileNetV3") */
    SPUR__SILU /* x / (1 + e^-x) (Ramachandran et al., "Searching for Activation Functions") */
} spur__swish;

#endif
