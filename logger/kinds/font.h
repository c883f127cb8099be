/* SPDX-License-Identifier: MIT
 *
 * A font of 5 x 7 pixels for labels on images.
 */
#ifndef SPUR_LOGGER_KINDS_FONT_H
#define SPUR_LOGGER_KINDS_FONT_H

enum { SPUR__FONT_WIDTH = 5, SPUR__FONT_HEIGHT = 7 };

/* The rows of an ASCII character, from above: five bits each, the highest one at the left. Whatever
 * else it is, an empty frame. */
const unsigned char *spur__font_glyph(unsigned char c);

#endif
