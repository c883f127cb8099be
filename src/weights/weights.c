/* SPDX-License-Identifier: MIT
 *
 * The parameters of a net to and from safetensors. PyTorch's batch norms have a counter that ours do
 * not need: it is written as 0 next to every running mean, so that strict loading works there, and
 * passed over when reading.
 */
#include <spur/weights.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "weights/weights.h"

static const char mean_suffix[] = ".running_mean", counter_suffix[] = ".num_batches_tracked";

bool spur__has_suffix(const char *name, const char *suffix) {
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* ---- writing ------------------------------------------------------------------------------------- */

/* Tensors to be written, and the parameter behind each (NULL: a counter). */
typedef struct plan {
    spur__tensor_out *tensors;
    const spur_param **params;
    char **names; /* of the counters, owned */
    size_t count;
} plan;

static void plan_free(plan *p) {
    for (size_t i = 0; p->names && i < p->count; i++) spur__free(p->names[i]);
    spur__free(p->names);
    spur__free(p->params);
    spur__free(p->tensors);
}

/* "bn1.running_mean" to "bn1.num_batches_tracked". */
static char *counter_name(const char *mean) {
    size_t stem = strlen(mean) - (sizeof mean_suffix - 1);
    char *name = spur__malloc(stem + sizeof counter_suffix);
    if (!name) return NULL;
    memcpy(name, mean, stem);
    memcpy(name + stem, counter_suffix, sizeof counter_suffix);
    return name;
}

static bool plan_net(spur_net *net, plan *p) {
    size_t n = (size_t)spur_net_param_count(net);
    *p = (plan){.tensors = spur__calloc(2 * n + 1, sizeof *p->tensors),
                .params = spur__calloc(2 * n + 1, sizeof *p->params),
                .names = spur__calloc(2 * n + 1, sizeof *p->names)};
    if (!p->tensors || !p->params || !p->names) return false;
    for (size_t i = 0; i < n; i++) {
        const spur_param *param = spur_net_param(net, (int)i);
        p->params[p->count] = param;
        p->tensors[p->count++] = spur__tensor_of(param, param->name);
        if (!spur__has_suffix(param->name, mean_suffix)) continue;
        char *name = counter_name(param->name);
        if (!name) return false;
        p->names[p->count] = name;
        p->tensors[p->count++] = (spur__tensor_out){.name = name, .counter = true};
    }
    return true;
}

spur__tensor_out spur__tensor_of(const spur_param *param, const char *name) {
    return (spur__tensor_out){
        .name = name, .rank = param->rank, .shape = param->shape, .count = param->count};
}

static void fill_param(void *user, size_t i, float *out) {
    spur_param_export(((const plan *)user)->params[i], out);
}

spur_status spur__weights_write(spur_net *net, const char *path, bool sync_later, uint64_t *size,
                                uint32_t *crc, spur_error *err) {
    plan p;
    spur_status status;
    if (!net || (spur_net_param_count(net) > 0 && !spur_net_param(net, 0)->value))
        return spur__fail(err, SPUR_E_STATE, "%s: the net is not built", path);
    if (plan_net(net, &p)) {
        const spur__tensors_out all = {p.tensors, p.count, fill_param, &p, sync_later};
        status = spur__safetensors_write(path, &all, size, crc, err);
    } else {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    }
    plan_free(&p);
    return status;
}

spur_status spur_weights_save(spur_net *net, const char *path, spur_error *err) {
    if (!path) return spur__fail(err, SPUR_E_ARGUMENT, "spur_weights_save: the path is NULL");
    return spur__weights_write(net, path, false, NULL, NULL, err);
}

/* ---- reading ------------------------------------------------------------------------------------- */

bool spur__tensor_fits(const spur__tensor *tensor, const spur_param *param) {
    if (tensor->rank != param->rank) return false;
    for (int i = 0; i < param->rank; i++)
        if (tensor->shape[i] != param->shape[i]) return false;
    return true;
}

char *spur__sizes_text(int rank, const int64_t *shape, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    if (rank == 0) snprintf(text, size, "a scalar");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "[%lld]", (long long)shape[i]);
    return text;
}

static bool below(const char *name, const char *prefix) {
    size_t n = prefix ? strlen(prefix) : 0;
    return n > 0 && strncmp(name, prefix, n) == 0 && (name[n] == '.' || name[n] == '\0');
}

/* The parameter's name in the file, NULL for one that the file does not speak of. */
static const char *name_in_file(const spur_param *param, const spur_weights_load_options *o) {
    if (!o->below) return param->name;
    return below(param->name, o->below) ? param->name + strlen(o->below) + 1 : NULL;
}

/* Whether the parameter is to be loaded; an error where it must be and cannot. */
static spur_status choose(const spur__safetensors *file, const spur_param *param,
                          const spur_weights_load_options *o, const spur__tensor **tensor,
                          spur_error *err) {
    char found[128], expected[128];
    const char *name = name_in_file(param, o);
    *tensor = name ? spur__tensors_find(&file->tensors, name) : NULL;
    spur__sizes_text(param->rank, param->shape, expected, sizeof expected);
    if (!*tensor) {
        if (!name || o->partial || below(name, o->head)) return SPUR_OK;
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: no tensor '%s', expected one of %s",
                          file->path, name, expected);
    }
    if (!spur__tensor_fits(*tensor, param)) {
        const spur__tensor *t = *tensor;
        *tensor = NULL;
        if (below(name, o->head)) return SPUR_OK;
        return spur__fail(err, SPUR_E_SHAPE, "%s: tensor '%s': found %s, expected %s", file->path,
                          name, spur__sizes_text(t->rank, t->shape, found, sizeof found), expected);
    }
    if ((*tensor)->type == SPUR__TENSOR_OTHER)
        return spur__fail(err, SPUR_E_TYPE, "%s: tensor '%s': found %s, expected F32", file->path,
                          name, (*tensor)->dtype);
    return SPUR_OK;
}

static bool is_asked_for(spur_net *net, const char *name, const spur_weights_load_options *o) {
    for (int i = 0; i < spur_net_param_count(net); i++) {
        const char *asked = name_in_file(spur_net_param(net, i), o);
        if (asked && strcmp(asked, name) == 0) return true;
    }
    return false;
}

/* Tensors that no parameter of the net asks for. */
static spur_status count_unused(const spur__safetensors *file, spur_net *net,
                                const spur_weights_load_options *o, int *unused, spur_error *err) {
    *unused = 0;
    for (size_t i = 0; i < file->tensors.count; i++) {
        const char *name = file->tensors.items[i].name;
        if (is_asked_for(net, name, o) || spur__has_suffix(name, counter_suffix)) continue;
        if (!o->allow_unused && !below(name, o->head) && !below(name, o->ignored))
            return spur__fail(err, SPUR_E_NOTFOUND,
                              "%s: tensor '%.200s' has no counterpart in the net", file->path,
                              name);
        (*unused)++;
    }
    return SPUR_OK;
}

/* Everything that can be refused, before a value changes. */
static spur_status check_all(const spur__safetensors *file, spur_net *net,
                             const spur_weights_load_options *o, spur_weights_load_report *report,
                             spur_error *err) {
    const spur__tensor *tensor;
    for (int i = 0; i < spur_net_param_count(net); i++) {
        SPUR__TRY(choose(file, spur_net_param(net, i), o, &tensor, err));
        if (tensor)
            report->loaded++;
        else
            report->kept++;
    }
    return count_unused(file, net, o, &report->unused, err);
}

static void describe(spur_net *net, const spur__safetensors *file,
                     const spur_weights_load_options *o, spur_weights_load_report *report) {
    char found[128], expected[128];
    const spur__tensor *ignored;
    if (report->kept == 0 && report->unused == 0) return;
    size_t used = (size_t)snprintf(report->text, sizeof report->text,
                                   "%d of %d parameters loaded, %d tensors not used",
                                   report->loaded, report->loaded + report->kept, report->unused);
    for (int i = 0; i < spur_net_param_count(net) && used < sizeof report->text; i++) {
        const spur_param *param = spur_net_param(net, i);
        const char *name = name_in_file(param, o);
        if (!name || choose(file, param, o, &ignored, NULL) != SPUR_OK || ignored) continue;
        const spur__tensor *t = spur__tensors_find(&file->tensors, name);
        used += (size_t)snprintf(
            report->text + used, sizeof report->text - used,
            "; %s starts anew (%s in the file, %s here)", param->name,
            t ? spur__sizes_text(t->rank, t->shape, found, sizeof found) : "missing",
            spur__sizes_text(param->rank, param->shape, expected, sizeof expected));
    }
}

/* Reads all chosen tensors into one block first, so that a failing disk changes nothing. */
static spur_status read_all(const spur__safetensors *file, spur_net *net,
                            const spur_weights_load_options *o, spur_error *err) {
    const spur__tensor *tensor;
    size_t total = 0, at = 0;
    spur_status status = SPUR_OK;
    for (int i = 0; i < spur_net_param_count(net); i++) total += spur_net_param(net, i)->count;
    float *values = spur__malloc_array(total + 1, sizeof *values);
    if (!values) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", file->path);
    for (int i = 0; i < spur_net_param_count(net); i++) {
        const spur_param *param = spur_net_param(net, i);
        SPUR__TRY_GOTO(choose(file, param, o, &tensor, err), done);
        if (!tensor) continue;
        SPUR__TRY_GOTO(spur__safetensors_read(file, tensor, values + at, err), done);
        at += param->count;
    }
    at = 0;
    for (int i = 0; i < spur_net_param_count(net); i++) {
        spur_param *param = spur_net_param(net, i);
        if (choose(file, param, o, &tensor, NULL) != SPUR_OK || !tensor) continue;
        spur_param_import(param, values + at);
        at += param->count;
    }
done:
    spur__free(values);
    return status;
}

spur_status spur_weights_load(spur_net *net, const char *path,
                              const spur_weights_load_options *options,
                              spur_weights_load_report *report, spur_error *err) {
    const spur_weights_load_options strict = {0};
    spur_weights_load_report own = {0};
    spur__safetensors file;
    const spur_weights_load_options *o = options ? options : &strict;
    if (!path) return spur__fail(err, SPUR_E_ARGUMENT, "spur_weights_load: the path is NULL");
    if (!net || (spur_net_param_count(net) > 0 && !spur_net_param(net, 0)->value))
        return spur__fail(err, SPUR_E_STATE, "%s: the net is not built", path);
    SPUR__TRY(spur__safetensors_open(&file, path, err));
    spur_status status = check_all(&file, net, o, &own, err);
    if (status == SPUR_OK) status = read_all(&file, net, o, err);
    if (status == SPUR_OK) describe(net, &file, o, &own);
    if (status == SPUR_OK && report) *report = own;
    spur__safetensors_close(&file);
    return status;
}
