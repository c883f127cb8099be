/* SPDX-License-Identifier: MIT
 *
 * SIGINT and SIGTERM: the first asks to stop at the next step, the second leaves at once.
 */
#ifndef SPUR_TRAINER_RUN_STOP_H
#define SPUR_TRAINER_RUN_STOP_H

/* Starts to listen. */
void stop_listen(void);

/* The signal that came, or 0. */
int stop_requested(void);

/* Tests and --max-time: as if a signal had come. */
void stop_request(int signal_number);

#endif
