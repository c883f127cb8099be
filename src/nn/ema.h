/* SPDX-License-Identifier: MIT
 *
 * The inside of the moving average, for checkpoints.
 */
#ifndef SPUR_NN_EMA_H
#define SPUR_NN_EMA_H

#include <spur/optim.h>

/* Parameter i of the net and its average, in the parameter's layout. */
int spur__ema_count(const spur_ema *ema);
spur_param *spur__ema_param(const spur_ema *ema, int i);
float *spur__ema_average(const spur_ema *ema, int i);

#endif
