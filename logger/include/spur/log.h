/* SPDX-License-Identifier: MIT */
#ifndef SPUR_LOG_H
#define SPUR_LOG_H
#include <spur/status.h>
#endif
