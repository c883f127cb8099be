/* SPDX-License-Identifier: MIT
 *
 * Reading checkpoints: the state file first, then sizes and checksums of all files, then the names
 * and shapes of all tensors against the parts given; only then is anything changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"
#include "weights/checkpoint.h"
#include "weights/weights.h"

enum { STATE_MAX = 256 * 1024 * 1024, BUFFER = 1 << 16 };

/* ---- the files as a whole --------------------------------------------------------------------------- */

static spur_status sum_file(const char *path, uint64_t *size, uint32_t *crc, spur_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", path);
    struct stat info;
    char *buffer = spur__malloc(BUFFER);
    spur_status status = SPUR_OK;
    ssize_t n = 1;
    *size = *crc = 0;
    if (fstat(fd, &info) != 0)
        status = spur__fail_errno(err, errno, "%s: cannot stat", path);
    else if (!S_ISREG(info.st_mode))
        status = spur__fail(err, SPUR_E_TYPE, "%s: not a regular file", path);
    while (status == SPUR_OK && buffer && n != 0) {
        n = read(fd, buffer, BUFFER);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            status = spur__fail_errno(err, errno, "%s: cannot read", path);
            break;
        }
        *crc = spur__crc32c(*crc, buffer, (size_t)n);
        *size += (uint64_t)n;
    }
    if (!buffer) status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur__free(buffer);
    close(fd);
    return status;
}

static spur_status check_file(const char *folder, const spur__checkpoint_file *file,
                              spur_error *err) {
    uint64_t size = 0;
    uint32_t crc = 0;
    char *path = spur__path_join(folder, file->name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    spur_status status = sum_file(path, &size, &crc, err);
    if (status == SPUR_OK && size != file->size)
        status = spur__fail(err, SPUR_E_DAMAGED, "%s: found %" PRIu64 " bytes, expected %" PRIu64,
                            path, size, file->size);
    else if (status == SPUR_OK && crc != file->crc)
        status =
            spur__fail(err, SPUR_E_DAMAGED, "%s: found checksum %08" PRIx32 ", expected %08" PRIx32,
                       path, crc, file->crc);
    spur__free(path);
    return status;
}

/* Reads the state file into `state` (new) and checks all files. */
static spur_status open_checkpoint(const char *folder, spur__manifest *m, spur_state *state,
                                   spur_error *err) {
    char *path = spur__path_join(folder, SPUR__STATE_FILE), *text = NULL;
    size_t n = 0;
    spur_status status;
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    SPUR__TRY_GOTO(spur__file_read(path, STATE_MAX, &text, &n, err), done);
    SPUR__TRY_GOTO(spur__state_parse(path, text, n, m, state, err), done);
    for (size_t i = 0; i < m->file_count; i++)
        SPUR__TRY_GOTO(check_file(folder, &m->files[i], err), done);
done:
    spur__free(text);
    spur__free(path);
    return status;
}

/* Hands the caller's keys over. */
static spur_status give(const spur_state *from, spur_state *to, spur_error *err) {
    for (size_t i = 0; to && i < spur__state_count(from); i++) {
        const char *key = spur__state_key(from, i);
        if (spur__state_is_own(key)) continue;
        SPUR__TRY(spur_state_set(to, key, spur_state_get(from, key), err));
    }
    return SPUR_OK;
}

spur_status spur_checkpoint_peek(const char *path, spur_state *state, uint64_t *step,
                                 spur_error *err) {
    spur__manifest m;
    spur_state *read = spur_state_create();
    if (!read) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = open_checkpoint(path, &m, read, err);
    if (status == SPUR_OK) status = give(read, state, err);
    if (status == SPUR_OK && step) *step = m.step;
    spur_state_destroy(read);
    return status;
}

/* ---- arrays ------------------------------------------------------------------------------------------- */

/* A file of arrays being loaded: opened and checked, then read. */
typedef struct source {
    spur__safetensors file;
    spur__arrays arrays;
    bool open;
} source;

static void source_close(source *s) {
    if (s->open) spur__safetensors_close(&s->file);
    spur__arrays_free(&s->arrays);
}

/* Every array has its tensor and every tensor its array. */
static spur_status check_arrays(const source *s, spur_error *err) {
    char found[128], expected[128];
    const spur__arrays *arrays = &s->arrays;
    for (size_t i = 0; i < arrays->count; i++) {
        const spur_param *param = arrays->params[i];
        const spur__tensor *t = spur__tensors_find(&s->file.tensors, arrays->names[i]);
        spur__sizes_text(param->rank, param->shape, expected, sizeof expected);
        if (!t)
            return spur__fail(err, SPUR_E_NOTFOUND, "%s: no tensor '%s', expected one of %s",
                              s->file.path, arrays->names[i], expected);
        if (!spur__tensor_fits(t, param) || t->type != SPUR__TENSOR_F32)
            return spur__fail(err, SPUR_E_SHAPE, "%s: tensor '%s': found %s %s, expected F32 %s",
                              s->file.path, t->name, t->dtype,
                              spur__sizes_text(t->rank, t->shape, found, sizeof found), expected);
    }
    if (s->file.tensors.count > arrays->count)
        return spur__fail(err, SPUR_E_NOTFOUND,
                          "%s: %zu tensors, expected %zu: it belongs to another configuration",
                          s->file.path, s->file.tensors.count, arrays->count);
    return SPUR_OK;
}

/* Only files that the state names were checked. */
static bool is_listed(const spur__manifest *m, const char *name) {
    for (size_t i = 0; i < m->file_count; i++)
        if (strcmp(m->files[i].name, name) == 0) return true;
    return false;
}

static spur_status source_open(source *s, const spur__manifest *m, const char *folder,
                               const char *name, spur_error *err) {
    if (!is_listed(m, name))
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: the checkpoint has no %s", folder, name);
    char *path = spur__path_join(folder, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    spur_status status = spur__safetensors_open(&s->file, path, err);
    s->open = status == SPUR_OK;
    spur__free(path);
    return status == SPUR_OK ? check_arrays(s, err) : status;
}

static spur_status source_read(const source *s, spur_error *err) {
    spur_status status = SPUR_OK;
    size_t most = 1;
    for (size_t i = 0; i < s->arrays.count; i++)
        if (s->arrays.params[i]->count > most) most = s->arrays.params[i]->count;
    float *values = spur__malloc_array(most, sizeof *values);
    if (!values) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", s->file.path);
    for (size_t i = 0; i < s->arrays.count; i++) {
        spur_param view = *s->arrays.params[i];
        const spur__tensor *t = spur__tensors_find(&s->file.tensors, s->arrays.names[i]);
        SPUR__TRY_GOTO(spur__safetensors_read(&s->file, t, values, err), done);
        view.value = s->arrays.values[i];
        spur_param_import(&view, values);
    }
done:
    spur__free(values);
    return status;
}

/* ---- numbers ------------------------------------------------------------------------------------------ */

static spur_status check_name(const char *folder, const spur_state *state, const char *key,
                              const char *expected, spur_error *err) {
    const char *found = spur_state_get(state, key);
    if (found && strcmp(found, expected) == 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_STATE, "%s: %s: found '%.80s', expected '%s'", folder, key,
                      found ? found : "nothing", expected);
}

static spur_status read_scheduler(const spur_state *state, spur__scheduler_state *s,
                                  spur_error *err) {
    SPUR__TRY(spur_state_get_double(state, "scheduler.best", &s->best, err));
    SPUR__TRY(spur_state_get_uint(state, "scheduler.seen", &s->seen, err));
    SPUR__TRY(spur_state_get_uint(state, "scheduler.bad", &s->bad, err));
    SPUR__TRY(spur_state_get_uint(state, "scheduler.cooldown", &s->cooldown, err));
    return spur_state_get_uint(state, "scheduler.reductions", &s->reductions, err);
}

/* What is in force for a group of parameters. */
typedef struct in_force {
    double lr, momentum;
    bool has_momentum;
} in_force;

/* What will be set once everything is known to fit. */
typedef struct loading {
    spur__manifest manifest;
    spur_state *state;
    source optimizer, ema;
    uint64_t steps;
    in_force *groups; /* [groups of the optimizer] */
    spur__scheduler_state scheduler;
} loading;

/* Kinds of optimizers without momentum lack it. */
static spur_status read_momentum(const spur_state *state, const spur_optimizer *optimizer, int g,
                                 in_force *group, spur_error *err) {
    char key[64];
    snprintf(key, sizeof key, "optimizer.momentum.%d", g);
    group->has_momentum = spur_state_get(state, key) != NULL;
    if (!group->has_momentum) return SPUR_OK;
    SPUR__TRY(spur_state_get_double(state, key, &group->momentum, err));
    return spur__optimizer_check_momentum(optimizer, g, group->momentum, err);
}

/* Rate and momentum of every group: as many groups as the optimizer has now. */
static spur_status read_groups(const char *folder, const spur_optimizer *optimizer, loading *l,
                               spur_error *err) {
    char key[64];
    const int groups = spur_optimizer_group_count(optimizer);
    l->groups = spur__malloc_array((size_t)groups + 1, sizeof *l->groups);
    if (!l->groups) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    for (int g = 0; g <= groups; g++) {
        snprintf(key, sizeof key, "optimizer.lr.%d", g);
        bool there = spur_state_get(l->state, key) != NULL;
        if (there != (g < groups))
            return spur__fail(err, SPUR_E_STATE,
                              "%s: %s: found %s, expected %d parameter group%s in all", folder, key,
                              there ? "one group more" : "nothing", groups, groups == 1 ? "" : "s");
        if (!there) continue;
        SPUR__TRY(spur_state_get_double(l->state, key, &l->groups[g].lr, err));
        spur_status status = read_momentum(l->state, optimizer, g, &l->groups[g], err);
        if (status != SPUR_OK) {
            spur__error_prefix(err, "%s", folder);
            return status;
        }
    }
    return SPUR_OK;
}

static spur_status prepare_optimizer(const spur_optimizer *optimizer, const char *folder,
                                     loading *l, spur_error *err) {
    const char *name = spur__optimizer_kind_of(optimizer)->kind.name;
    SPUR__TRY(check_name(folder, l->state, "optimizer.name", name, err));
    SPUR__TRY(spur_state_get_uint(l->state, "optimizer.steps", &l->steps, err));
    SPUR__TRY(read_groups(folder, optimizer, l, err));
    SPUR__TRY(spur__arrays_of_optimizer(optimizer, &l->optimizer.arrays, err));
    return source_open(&l->optimizer, &l->manifest, folder, SPUR__OPTIMIZER_FILE, err);
}

static spur_status prepare(const spur_checkpoint_parts *parts, const char *folder, loading *l,
                           spur_error *err) {
    SPUR__TRY(open_checkpoint(folder, &l->manifest, l->state, err));
    if (parts->optimizer) SPUR__TRY(prepare_optimizer(parts->optimizer, folder, l, err));
    if (parts->scheduler) {
        const char *name = spur__scheduler_kind_of(parts->scheduler)->kind.name;
        SPUR__TRY(check_name(folder, l->state, "scheduler.name", name, err));
        SPUR__TRY(read_scheduler(l->state, &l->scheduler, err));
    }
    if (parts->ema) {
        SPUR__TRY(spur__arrays_of_ema(parts->ema, &l->ema.arrays, err));
        SPUR__TRY(source_open(&l->ema, &l->manifest, folder, SPUR__EMA_FILE, err));
    }
    return SPUR_OK;
}

static spur_status load_weights(spur_net *net, const loading *l, const char *folder,
                                spur_error *err) {
    if (!is_listed(&l->manifest, SPUR__WEIGHTS_FILE))
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: the checkpoint has no " SPUR__WEIGHTS_FILE,
                          folder);
    char *path = spur__path_join(folder, SPUR__WEIGHTS_FILE);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    spur_status status = spur_weights_load(net, path, NULL, NULL, err);
    spur__free(path);
    return status;
}

static spur_status apply_optimizer(spur_optimizer *optimizer, const loading *l, spur_error *err) {
    SPUR__TRY(source_read(&l->optimizer, err));
    spur__optimizer_set_steps(optimizer, l->steps);
    for (int g = 0; g < spur_optimizer_group_count(optimizer); g++) {
        const in_force *group = &l->groups[g];
        spur_optimizer_set_lr(optimizer, g, group->lr);
        if (group->has_momentum)
            SPUR__TRY(spur_optimizer_set_momentum(optimizer, g, group->momentum, err));
    }
    return SPUR_OK;
}

static spur_status apply(const spur_checkpoint_parts *parts, const char *folder, const loading *l,
                         spur_error *err) {
    if (parts->net) SPUR__TRY(load_weights(parts->net, l, folder, err));
    if (parts->optimizer) SPUR__TRY(apply_optimizer(parts->optimizer, l, err));
    if (parts->ema) SPUR__TRY(source_read(&l->ema, err));
    if (parts->scheduler) spur__scheduler_set_state(parts->scheduler, &l->scheduler);
    return give(l->state, parts->state, err);
}

spur_status spur_checkpoint_load(const spur_checkpoint_parts *parts, const char *path,
                                 uint64_t *step, spur_error *err) {
    if (!parts || !path)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_checkpoint_load: the %s is NULL",
                          path ? "list of parts" : "path");
    loading l = {.state = spur_state_create()};
    if (!l.state) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = prepare(parts, path, &l, err);
    if (status == SPUR_OK) status = apply(parts, path, &l, err);
    if (status == SPUR_OK && step) *step = l.manifest.step;
    source_close(&l.optimizer);
    source_close(&l.ema);
    spur__free(l.groups);
    spur_state_destroy(l.state);
    return status;
}
