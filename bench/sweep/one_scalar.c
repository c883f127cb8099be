/* SPDX-License-Identifier: MIT
 *
 * The smallest program that a sweep can run: one scalar in one event file.
 */
#include <spur/log.h>

int main(void) {
    spur_writer *writer;
    if (spur_writer_open(&writer, NULL, NULL) != SPUR_OK) return 1;
    spur_log_scalar(writer, "loss", 1, 0.5);
    return spur_writer_close(writer, NULL) == SPUR_OK ? 0 : 1;
}
