/* SPDX-License-Identifier: MIT
 *
 * Sounds: 16-bit and float samples, one and two channels, several clips, samples out of range.
 */
#include <math.h>
#include <string.h>

#include "cases.h"

enum { FRAMES = 400 };

static void put(spur_writer *writer, const char *tag, int step, const spur_log_clips *clips,
                int most) {
    OK(spur_log_audio(writer, tag, step, clips,
                      &(spur_log_audio_options){
                          .max_outputs = most,
                          .log = {.wall_time = CASE_TIME(step), .description = "a *sound*"}}));
}

static int16_t sample(int clip, int frame, int channel, int step) {
    return (int16_t)((frame * 331 + clip * 1000 + channel * 77 + step * 13) % 65536 - 32768);
}

void case_audio(const char *root) {
    spur_writer *writer = case_open(root, "audio");
    int16_t samples[5 * FRAMES * 2];
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < FRAMES; i++) samples[i] = sample(0, i, 0, step);
        put(writer, "mono", step, &(spur_log_clips){samples, SPUR_LOG_I16, 0, FRAMES, 0, 8000}, 0);
    }
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < FRAMES; i++)
            for (int c = 0; c < 2; c++) samples[(k * FRAMES + i) * 2 + c] = sample(k, i, c, 0);
    put(writer, "stereo", 0, &(spur_log_clips){samples, SPUR_LOG_I16, 5, FRAMES, 2, 44100}, 0);
    put(writer, "all_five", 0, &(spur_log_clips){samples, SPUR_LOG_I16, 5, FRAMES, 2, 44100}, 5);
    float floats[FRAMES];
    for (int i = 0; i < FRAMES; i++) floats[i] = (float)((i * 163) % 65536 - 32768) / 32768.0f;
    const float outside[] = {1.5f, -1.5f, 1.0f, NAN};
    memcpy(floats, outside, sizeof outside);
    put(writer, "float", 0, &(spur_log_clips){floats, SPUR_LOG_F32, 1, FRAMES, 1, 16000}, 0);
    case_close(writer);
}
