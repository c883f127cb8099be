/* SPDX-License-Identifier: MIT
 *
 * A small, complete training program: a two-layer network learns to tell two spirals apart.
 * before.c has no log, after.c is the same program with one for TensorBoard.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <spur/log.h>

enum { SAMPLES = 400, HIDDEN = 24, EPOCHS = 300 };

static float x[SAMPLES][2], y[SAMPLES];
static float w1[HIDDEN][2], b1[HIDDEN], w2[HIDDEN], b2;

static float noise(void) {
    static unsigned state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f; /* -1 .. 1 */
}

static void make_data(void) {
    for (int i = 0; i < SAMPLES; i++) {
        float t = 0.4f + 5.0f * (float)(i / 2) / (float)SAMPLES, side = i % 2 ? 1.0f : -1.0f;
        x[i][0] = side * t * cosf(2.0f * t) / 3.0f + 0.03f * noise();
        x[i][1] = side * t * sinf(2.0f * t) / 3.0f + 0.03f * noise();
        y[i] = (float)(i % 2);
    }
}

static void make_weights(void) {
    for (int j = 0; j < HIDDEN; j++) {
        w1[j][0] = 3.0f * noise();
        w1[j][1] = 3.0f * noise();
        b1[j] = noise();
        w2[j] = 0.3f * noise();
    }
}

/* One step of gradient descent on sample i; returns its loss, and counts it if it is right. */
static float learn(int i, float lr, int *right) {
    float h[HIDDEN], z = b2;
    for (int j = 0; j < HIDDEN; j++) {
        h[j] = tanhf(w1[j][0] * x[i][0] + w1[j][1] * x[i][1] + b1[j]);
        z += w2[j] * h[j];
    }
    float p = 1.0f / (1.0f + expf(-z)), error = p - y[i];
    for (int j = 0; j < HIDDEN; j++) {
        float back = error * w2[j] * (1.0f - h[j] * h[j]);
        w2[j] -= lr * error * h[j];
        w1[j][0] -= lr * back * x[i][0];
        w1[j][1] -= lr * back * x[i][1];
        b1[j] -= lr * back;
    }
    b2 -= lr * error;
    *right += (p > 0.5f) == (y[i] > 0.5f);
    return -logf(y[i] > 0.5f ? p + 1e-7f : 1.0f - p + 1e-7f);
}

int main(void) {
    spur_writer *log;
    spur_writer_open(&log, NULL, NULL);
    make_data();
    make_weights();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        float loss = 0.0f, lr = 0.2f / (1.0f + 0.01f * (float)epoch);
        int right = 0;
        for (int i = 0; i < SAMPLES; i++) loss += learn((i * 37) % SAMPLES, lr, &right) / SAMPLES;
        spur_log_scalar(log, "epoch_loss", epoch, loss);
        spur_log_scalar(log, "epoch_accuracy", epoch, (float)right / SAMPLES);
        spur_log_histogram(log, "w1", epoch, spur_log_floats(w1[0], HIDDEN * 2), NULL);
        if (epoch % 50 == 49)
            printf("epoch %d: loss %.4f, accuracy %.3f\n", epoch + 1, loss, (float)right / SAMPLES);
    }
    spur_writer_close(log, NULL);
    return 0;
}
