/* SPDX-License-Identifier: MIT
 *
 * Trains my_net on MNIST with the engine and the logger, without the program spur: data and loader,
 * model, loss, optimizer, metrics, weights, and curves for TensorBoard.
 *
 *     train_mnist data/mnist-10k [EPOCHS] [SIZE]
 *     tensorboard --logdir ./my_logs
 *
 * The folder holds the four IDX files, plain or gzipped. With 10,000 of the images, 48x48, five epochs
 * reach 98.5 % or so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/data.h>
#include <spur/log.h>
#include <spur/loss.h>
#include <spur/metrics.h>
#include <spur/models.h>
#include <spur/optim.h>
#include <spur/weights.h>

enum { BATCH = 64 };

typedef struct training {
    spur_data *data;
    spur_loader *train, *test;
    spur_net *net;
    spur_node *x, *y, *logits;
    spur_optimizer *adam;
    spur_tally *tally;
    spur_writer *run, *train_log, *test_log;
    int64_t step;
} training;

static spur_status open_data(training *t, const char *path, const char *size, spur_error *err) {
    const char *const options[] = {"path",
                                   path,
                                   "size",
                                   size,
                                   "channels",
                                   "3",
                                   "normalization",
                                   "0.1307, 0.1307, 0.1307, "
                                   "0.3081, 0.3081, 0.3081",
                                   NULL};
    const char *const augment[] = {"rotation", "10", "color_jitter", "0.2", NULL};
    spur_loader_options shuffled = {.batch_size = BATCH, .seed = 1, .augment = augment};
    spur_loader_options plain = {.batch_size = BATCH};
    spur_status status = spur_data_open(&t->data, "mnist", options, err);
    if (status == SPUR_OK)
        status = spur_loader_create(&t->train, t->data, SPUR_SPLIT_TRAIN, &shuffled, err);
    if (status == SPUR_OK)
        status = spur_loader_create(&t->test, t->data, SPUR_SPLIT_TEST, &plain, err);
    return status;
}

static spur_status build(training *t, spur_error *err) {
    const spur_data_info *info = spur_data_describe(t->data);
    int64_t shape[] = {BATCH, info->height, info->width, info->channels};
    t->net = spur_net_create(&(spur_net_options){.seed = 1});
    t->x = spur_input(t->net, "images", SPUR_FLOAT32, 4, shape);
    t->y = spur_input(t->net, "labels", SPUR_INT32, 1, shape);
    t->logits = spur_model(t->net, "my_net", t->x, (int)info->classes, NULL, err);
    if (!t->logits) return err->status;
    spur_keep(t->net, t->logits);
    spur_node *loss = spur_cross_entropy(t->net, t->logits, t->y, NULL);
    spur_status status = spur_net_build(t->net, loss, err);
    if (status != SPUR_OK) return status;
    t->adam = spur_optimizer_create(t->net, "adam", "lr=1e-3 weight_decay=1e-4", err);
    t->tally = spur_tally_create((int)info->classes, NULL);
    return t->adam && t->tally ? SPUR_OK : SPUR_E_MEMORY;
}

static spur_status open_logs(training *t, spur_error *err) {
    spur_status status = spur_writer_open(&t->run, &(spur_writer_options){.name = "mnist"}, err);
    if (status == SPUR_OK) status = spur_writer_open_sub(&t->train_log, t->run, "train", err);
    if (status == SPUR_OK) status = spur_writer_open_sub(&t->test_log, t->run, "validation", err);
    return status;
}

/* Copies a batch in, runs it forward and counts what came out. */
static spur_status forward(training *t, const spur_batch *batch, spur_mode mode, spur_error *err) {
    size_t values = (size_t)batch->height * (size_t)batch->width * (size_t)batch->channels;
    spur_status status = spur_net_set_batch(t->net, (int)batch->count);
    if (status != SPUR_OK) return status;
    memcpy(spur_node_data(t->x), batch->input, batch->count * values * sizeof(float));
    memcpy(spur_node_data_int(t->y), batch->labels, batch->count * sizeof(int32_t));
    status = spur_net_forward(t->net, mode, err);
    if (status != SPUR_OK) return status;
    int classes = spur_tally_classes(t->tally);
    return spur_tally_add(t->tally, spur_node_data(t->logits), batch->count, classes, batch->labels,
                          err);
}

static spur_status update(training *t, spur_error *err) {
    spur_net_zero_gradients(t->net);
    spur_status status = spur_net_backward(t->net, 1, err);
    return status == SPUR_OK ? spur_optimizer_step(t->adam, err) : status;
}

/* One pass over a split; logs its mean loss and accuracy. */
static spur_status pass(training *t, spur_mode mode, int epoch, spur_error *err) {
    spur_loader *loader = mode == SPUR_TRAIN ? t->train : t->test;
    spur_writer *log = mode == SPUR_TRAIN ? t->train_log : t->test_log;
    spur_batch batch;
    double loss = 0, samples = 0, accuracy;
    spur_status status;
    spur_tally_reset(t->tally);
    while ((status = spur_loader_next(loader, &batch, err)) == SPUR_OK) {
        if (mode == SPUR_TRAIN) spur_net_set_step(t->net, (uint64_t)t->step);
        if ((status = forward(t, &batch, mode, err)) != SPUR_OK) return status;
        if (mode == SPUR_TRAIN && (status = update(t, err)) != SPUR_OK) return status;
        if (mode == SPUR_TRAIN)
            spur_log_scalar(log, "batch_loss", t->step++, spur_net_loss(t->net));
        loss += (double)spur_net_loss(t->net) * (double)batch.count;
        samples += (double)batch.count;
    }
    if (status != SPUR_E_END) return status;
    status = spur_metric(t->tally, "accuracy", NULL, &accuracy, err);
    spur_log_scalar(log, "epoch_loss", epoch, loss / samples);
    spur_log_scalar(log, "epoch_accuracy", epoch, accuracy);
    printf("%s loss %.4f accuracy %.4f%s", mode == SPUR_TRAIN ? "train" : "  test", loss / samples,
           accuracy, mode == SPUR_TRAIN ? "" : "\n");
    fflush(stdout);
    return status;
}

static spur_status train(training *t, const char *path, int epochs, const char *size,
                         spur_error *err) {
    spur_status status = open_data(t, path, size, err);
    if (status == SPUR_OK) status = build(t, err);
    if (status == SPUR_OK) status = open_logs(t, err);
    for (int epoch = 0; status == SPUR_OK && epoch < epochs; epoch++) {
        printf("epoch %d: ", epoch + 1);
        status = pass(t, SPUR_TRAIN, epoch, err);
        if (status == SPUR_OK) status = pass(t, SPUR_EVAL, epoch, err);
    }
    if (status == SPUR_OK) {
        char weights[4096];
        snprintf(weights, sizeof weights, "%s/weights.safetensors", spur_writer_directory(t->run));
        status = spur_weights_save(t->net, weights, err);
        if (status == SPUR_OK) printf("weights: %s\n", weights);
    }
    return status;
}

int main(int argc, char **argv) {
    training t = {0};
    spur_error err = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: train_mnist FOLDER [EPOCHS] [SIZE]\n");
        return 2;
    }
    int epochs = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
    spur_status status = train(&t, argv[1], epochs, argc > 3 ? argv[3] : "48x48", &err);
    if (status != SPUR_OK) fprintf(stderr, "train_mnist: %s\n", err.message);
    spur_writer_close(t.test_log, NULL);
    spur_writer_close(t.train_log, NULL);
    spur_writer_close(t.run, NULL);
    spur_tally_destroy(t.tally);
    spur_optimizer_destroy(t.adam);
    spur_net_destroy(t.net);
    spur_loader_destroy(t.test);
    spur_loader_destroy(t.train);
    spur_data_close(t.data);
    return status == SPUR_OK ? 0 : 1;
}
