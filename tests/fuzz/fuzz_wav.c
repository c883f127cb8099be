/* SPDX-License-Identifier: MIT
 *
 * The WAV reader and the change of rate on any bytes. fuzz needs: spur_nn
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "data/codecs/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    spur__pixels sound = {0}, other = {0};
    spur_error err = {0};
    int rate = 0;
    if (spur__wav_decode(data, size, "x", &sound, &rate, &err) == SPUR_OK) {
        if (rate < 1 || sound.width < 1) abort();
        for (int i = 0; i < sound.width; i++)
            if (!isfinite(sound.data[i])) abort();
        if (sound.width < 300 && rate < 100000 &&
            spur__wav_resample(&sound, rate, 16000, 1 << 20, &other, &err) == SPUR_OK &&
            other.width < 1)
            abort();
    } else if (!err.message[0]) {
        abort();
    }
    spur__pixels_free(&sound);
    spur__pixels_free(&other);
    return 0;
}
