/* SPDX-License-Identifier: MIT
 *
 * Writing checkpoints: DIRECTORY/step_N/ with weights.safetensors, optimizer.safetensors,
 * ema.safetensors and `state`, which names the others with their sizes and checksums and is written
 * last: a folder without a whole `state` is no checkpoint. Moments and averages are written in
 * PyTorch's layout, like the weights.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "nn/ema.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"
#include "weights/checkpoint.h"
#include "weights/weights.h"

/* ---- tensors of optimizer and average ------------------------------------------------------------- */

void spur__arrays_free(spur__arrays *arrays) {
    for (size_t i = 0; arrays->names && i < arrays->count; i++) spur__free(arrays->names[i]);
    spur__free(arrays->names);
    spur__free(arrays->params);
    spur__free(arrays->values);
    *arrays = (spur__arrays){0};
}

static bool arrays_reserve(spur__arrays *arrays, size_t n) {
    *arrays = (spur__arrays){.names = spur__calloc(n + 1, sizeof *arrays->names),
                             .params = spur__calloc(n + 1, sizeof *arrays->params),
                             .values = spur__calloc(n + 1, sizeof *arrays->values)};
    return arrays->names && arrays->params && arrays->values;
}

/* Adds an array called "<prefix>.<parameter>", or as the parameter without a prefix. */
static bool arrays_add(spur__arrays *arrays, const char *prefix, spur_param *param, float *values) {
    spur__str name;
    spur__str_init(&name, 4096);
    if (prefix) spur__str_printf(&name, "%s.", prefix);
    spur__str_puts(&name, param->name);
    arrays->names[arrays->count] = spur__str_take(&name);
    spur__str_free(&name);
    if (!arrays->names[arrays->count]) return false;
    arrays->params[arrays->count] = param;
    arrays->values[arrays->count++] = values;
    return true;
}

spur_status spur__arrays_of_optimizer(const spur_optimizer *optimizer, spur__arrays *arrays,
                                      spur_error *err) {
    const spur__optimizer_kind *kind = spur__optimizer_kind_of(optimizer);
    int count = spur__optimizer_param_count(optimizer);
    bool fine = arrays_reserve(arrays, (size_t)count * SPUR__MAX_SLOTS);
    for (int i = 0; fine && i < count; i++)
        for (int s = 0; fine && s < SPUR__MAX_SLOTS; s++) {
            float *slot = spur__optimizer_slot(optimizer, i, s);
            if (slot)
                fine = arrays_add(arrays, kind->slot_names[s], spur__optimizer_param(optimizer, i),
                                  slot);
        }
    if (fine) return SPUR_OK;
    spur__arrays_free(arrays);
    return spur__fail(err, SPUR_E_MEMORY, "checkpoint: out of memory");
}

spur_status spur__arrays_of_ema(const spur_ema *ema, spur__arrays *arrays, spur_error *err) {
    int count = spur__ema_count(ema);
    bool fine = arrays_reserve(arrays, (size_t)count);
    for (int i = 0; fine && i < count; i++)
        fine = arrays_add(arrays, NULL, spur__ema_param(ema, i), spur__ema_average(ema, i));
    if (fine) return SPUR_OK;
    spur__arrays_free(arrays);
    return spur__fail(err, SPUR_E_MEMORY, "checkpoint: out of memory");
}

static void fill_array(void *user, size_t i, float *out) {
    const spur__arrays *arrays = user;
    spur_param view = *arrays->params[i];
    view.value = arrays->values[i];
    spur_param_export(&view, out);
}

static spur_status write_arrays(const char *path, spur__arrays *arrays, bool sync_later,
                                uint64_t *size, uint32_t *crc, spur_error *err) {
    spur__tensor_out *tensors = spur__calloc(arrays->count + 1, sizeof *tensors);
    if (!tensors) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    for (size_t i = 0; i < arrays->count; i++)
        tensors[i] = spur__tensor_of(arrays->params[i], arrays->names[i]);
    const spur__tensors_out all = {tensors, arrays->count, fill_array, arrays, sync_later};
    spur_status status = spur__safetensors_write(path, &all, size, crc, err);
    spur__free(tensors);
    return status;
}

/* ---- numbers of optimizer and scheduler ------------------------------------------------------------ */

static spur_status put_optimizer(const spur_optimizer *optimizer, spur_state *state,
                                 spur_error *err) {
    char key[64];
    const spur__optimizer_kind *kind = spur__optimizer_kind_of(optimizer);
    SPUR__TRY(spur_state_set(state, "optimizer.name", kind->kind.name, err));
    SPUR__TRY(spur_state_set_uint(state, "optimizer.steps", spur_optimizer_steps(optimizer), err));
    for (int g = 0; g < spur_optimizer_group_count(optimizer); g++) {
        snprintf(key, sizeof key, "optimizer.lr.%d", g);
        SPUR__TRY(spur_state_set_double(state, key, spur_optimizer_lr(optimizer, g), err));
        if (!kind->momentum) continue;
        snprintf(key, sizeof key, "optimizer.momentum.%d", g);
        SPUR__TRY(spur_state_set_double(state, key, spur__optimizer_momentum(optimizer, g), err));
    }
    return SPUR_OK;
}

static spur_status put_scheduler(const spur_scheduler *scheduler, spur_state *state,
                                 spur_error *err) {
    spur__scheduler_state s = spur__scheduler_get_state(scheduler);
    SPUR__TRY(spur_state_set(state, "scheduler.name", spur__scheduler_kind_of(scheduler)->kind.name,
                             err));
    SPUR__TRY(spur_state_set_double(state, "scheduler.best", s.best, err));
    SPUR__TRY(spur_state_set_uint(state, "scheduler.seen", s.seen, err));
    SPUR__TRY(spur_state_set_uint(state, "scheduler.bad", s.bad, err));
    SPUR__TRY(spur_state_set_uint(state, "scheduler.cooldown", s.cooldown, err));
    return spur_state_set_uint(state, "scheduler.reductions", s.reductions, err);
}

static spur_status put_numbers(const spur_checkpoint_parts *parts, spur_state *state,
                               spur_error *err) {
    if (parts->optimizer) SPUR__TRY(put_optimizer(parts->optimizer, state, err));
    if (parts->scheduler) SPUR__TRY(put_scheduler(parts->scheduler, state, err));
    if (parts->state) SPUR__TRY(spur__state_merge(state, parts->state, err));
    return SPUR_OK;
}

/* ---- the folder -------------------------------------------------------------------------------------- */

/* Starts the entry of a file and makes its path; NULL when out of memory. */
static char *begin_file(spur__manifest *m, const char *folder, const char *name) {
    snprintf(m->files[m->file_count].name, sizeof m->files[0].name, "%s", name);
    return spur__path_join(folder, name);
}

static spur_status save_weights(const spur_checkpoint_parts *parts, const char *folder,
                                bool sync_later, spur__manifest *m, spur_error *err) {
    char *path = begin_file(m, folder, SPUR__WEIGHTS_FILE);
    spur__checkpoint_file *file = &m->files[m->file_count++];
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "checkpoint: out of memory");
    spur_status status =
        spur__weights_write(parts->net, path, sync_later, &file->size, &file->crc, err);
    spur__free(path);
    return status;
}

/* Takes over the arrays. */
static spur_status save_arrays(spur__arrays *arrays, const char *folder, const char *name,
                               bool sync_later, spur__manifest *m, spur_error *err) {
    char *path = begin_file(m, folder, name);
    spur__checkpoint_file *file = &m->files[m->file_count++];
    spur_status status = path ? write_arrays(path, arrays, sync_later, &file->size, &file->crc, err)
                              : spur__fail(err, SPUR_E_MEMORY, "checkpoint: out of memory");
    spur__free(path);
    spur__arrays_free(arrays);
    return status;
}

static spur_status save_files(const spur_checkpoint_parts *parts, const char *folder,
                              bool sync_later, spur__manifest *m, spur_error *err) {
    spur__arrays arrays;
    SPUR__TRY(save_weights(parts, folder, sync_later, m, err));
    if (parts->optimizer) {
        SPUR__TRY(spur__arrays_of_optimizer(parts->optimizer, &arrays, err));
        SPUR__TRY(save_arrays(&arrays, folder, SPUR__OPTIMIZER_FILE, sync_later, m, err));
    }
    if (parts->ema) {
        SPUR__TRY(spur__arrays_of_ema(parts->ema, &arrays, err));
        SPUR__TRY(save_arrays(&arrays, folder, SPUR__EMA_FILE, sync_later, m, err));
    }
    return SPUR_OK;
}

char *spur__checkpoint_folder(const char *directory, uint64_t step) {
    char name[32];
    snprintf(name, sizeof name, "step_%" PRIu64, step);
    return spur__path_join(directory, name);
}

spur_status spur__checkpoint_write(const spur_checkpoint_parts *parts, const char *directory,
                                   uint64_t step, bool sync_later, spur_error *err) {
    if (!parts || !parts->net || !directory)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_checkpoint_save: the %s is NULL",
                          directory ? "net" : "directory");
    spur__manifest m = {.step = step};
    char *folder = spur__checkpoint_folder(directory, step), *path = NULL;
    spur_state *state = spur_state_create();
    spur_status status = SPUR_OK;
    if (folder) path = spur__path_join(folder, SPUR__STATE_FILE);
    if (!path || !state) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
        goto done;
    }
    SPUR__TRY_GOTO(put_numbers(parts, state, err), done);
    SPUR__TRY_GOTO(spur__mkdirs_synced(directory, err), done);
    SPUR__TRY_GOTO(spur__mkdirs(folder, err), done); /* its name is synced when it is whole */
    spur__remove_leftovers(folder, 0);
    /* Each file is replaced as a whole and the state last: where only the state differs from that
     * of the same step before, one of the two is whole at any moment; otherwise the old one's
     * checksums tell that it no longer fits. */
    SPUR__TRY_GOTO(save_files(parts, folder, sync_later, &m, err), done);
    SPUR__TRY_GOTO(spur__state_write(path, &m, state, sync_later, err), done);
    if (!sync_later) status = spur__sync_directory(directory, err);
done:
    spur_state_destroy(state);
    spur__free(path);
    spur__free(folder);
    return status;
}

spur_status spur_checkpoint_save(const spur_checkpoint_parts *parts, const char *directory,
                                 uint64_t step, spur_error *err) {
    return spur__checkpoint_write(parts, directory, step, false, err);
}

/* Syncs a file that was closed before. */
static spur_status sync_file(const char *folder, const char *name, spur_error *err) {
    char *path = spur__path_join(folder, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    spur_status status = failed ? spur__fail_errno(err, failed, "%s: cannot sync", path) : SPUR_OK;
    spur__free(path);
    return status;
}

spur_status spur__checkpoint_sync(const char *directory, uint64_t step, spur_error *err) {
    char *folder = spur__checkpoint_folder(directory, step);
    DIR *dir = folder ? opendir(folder) : NULL;
    spur_status status = !folder ? spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory)
                         : !dir  ? spur__fail_errno(err, errno, "%s: cannot open directory", folder)
                                 : SPUR_OK;
    for (struct dirent *e; status == SPUR_OK && (e = readdir(dir));)
        if (e->d_name[0] != '.') status = sync_file(folder, e->d_name, err);
    if (dir) closedir(dir);
    if (status == SPUR_OK) status = spur__sync_directory(folder, err);
    if (status == SPUR_OK) status = spur__sync_directory(directory, err);
    spur__free(folder);
    return status;
}
