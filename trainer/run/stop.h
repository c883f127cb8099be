/* SPDX-License-Identifier: MIT
 *
 * Signals that end a run. SIGINT, SIGTERM, and SIGHUP of a terminal that is closed: the first asks to stop at
 * the next step, a second one (but for SIGHUP) leaves at once. SIGPIPE: nobody reads the output any more, and
 * the run goes on.
 */
#ifndef SPUR_TRAINER_RUN_STOP_H
#define SPUR_TRAINER_RUN_STOP_H

/* Starts to listen. */
void stop_listen(void);

/* The signal that came, or 0. */
int stop_requested(void);

#endif
