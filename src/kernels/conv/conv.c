/* SPDX-License-Identifier: MIT
 *
 * Plans of convolutions: checks, choice of algorithms, dispatch.
 */
#include "kernels/conv/conv.h"

#include <string.h>

#include "kernels/conv/internal.h"
#include "kernels/conv/winograd.h"

const char *spur__conv_algo_name(spur__conv_algo algo) {
    static const char *const names[] = {"auto", "direct", "winograd2", "winograd4", "depthwise"};
    return names[algo];
}

static spur_status refuse(spur_error *err, const char *what, ptrdiff_t found, const char *wanted) {
    return spur__fail(err, SPUR_E_SHAPE, "convolution: %s is %td, expected %s", what, found,
                      wanted);
}

static spur_status check_sizes(const spur__conv_shape *s, spur_error *err) {
    if (s->n < 1) return refuse(err, "batch", s->n, "at least 1");
    if (s->h < 1) return refuse(err, "height", s->h, "at least 1");
    if (s->w < 1) return refuse(err, "width", s->w, "at least 1");
    if (s->c < 1) return refuse(err, "input channels", s->c, "at least 1");
    if (s->k < 1) return refuse(err, "output channels", s->k, "at least 1");
    if (s->kh < 1 || s->kh > SPUR__TAPS_MAX) return refuse(err, "kernel height", s->kh, "1 to 64");
    if (s->kw < 1 || s->kw > SPUR__TAPS_MAX) return refuse(err, "kernel width", s->kw, "1 to 64");
    if (s->stride_h < 1) return refuse(err, "vertical stride", s->stride_h, "at least 1");
    if (s->stride_w < 1) return refuse(err, "horizontal stride", s->stride_w, "at least 1");
    if (s->dilation_h < 1) return refuse(err, "vertical dilation", s->dilation_h, "at least 1");
    if (s->dilation_w < 1) return refuse(err, "horizontal dilation", s->dilation_w, "at least 1");
    ptrdiff_t pad =
        spur__min(spur__min(s->pad_top, s->pad_left), spur__min(s->pad_bottom, s->pad_right));
    if (pad < 0) return refuse(err, "padding", pad, "at least 0");
    if (s->groups < 1 || s->c % s->groups != 0 || s->k % s->groups != 0)
        return refuse(err, "groups", s->groups, "a divisor of input and output channels");
    return SPUR_OK;
}

static ptrdiff_t output_size(ptrdiff_t size, ptrdiff_t pad, ptrdiff_t kernel, ptrdiff_t dilation,
                             ptrdiff_t stride) {
    ptrdiff_t room = size + pad - (kernel - 1) * dilation - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static spur_status complete(spur__conv_shape *s, spur_error *err) {
    ptrdiff_t oh = output_size(s->h, s->pad_top + s->pad_bottom, s->kh, s->dilation_h, s->stride_h);
    ptrdiff_t ow = output_size(s->w, s->pad_left + s->pad_right, s->kw, s->dilation_w, s->stride_w);
    if (oh < 1 || ow < 1)
        return spur__fail(
            err, SPUR_E_SHAPE,
            "convolution: a %tdx%td kernel does not fit into a %tdx%td input with its "
            "padding",
            s->kh, s->kw, s->h, s->w);
    if (s->oh == 0) s->oh = oh;
    if (s->ow == 0) s->ow = ow;
    if (s->oh < 1 || s->oh > oh)
        return refuse(err, "output height", s->oh, "what kernel and stride give");
    if (s->ow < 1 || s->ow > ow)
        return refuse(err, "output width", s->ow, "what kernel and stride give");
    if (s->x_pitch == 0) s->x_pitch = s->c;
    if (s->y_pitch == 0) s->y_pitch = s->k;
    if (s->x_pitch < s->c) return refuse(err, "input pitch", s->x_pitch, "at least the channels");
    if (s->y_pitch < s->k) return refuse(err, "output pitch", s->y_pitch, "at least the channels");
    return SPUR_OK;
}

/* Every channel on its own, or a few together: too few for register tiles. One chain of sums. */
static bool in_small_groups(const spur__conv_shape *s) {
    ptrdiff_t depth = s->c / s->groups;
    bool small = depth == 1 || depth == 2 || depth == 4 || depth == 8;
    return s->groups > 1 && s->c == s->k && small &&
           (depth == 1 || s->kh * s->kw * depth <= SPUR__TILE_STRETCH);
}

/* One direction: pairs of an output and a tap that lies inside the image. */
static ptrdiff_t taps_inside(ptrdiff_t outputs, ptrdiff_t inputs, ptrdiff_t pad, ptrdiff_t kernel,
                             ptrdiff_t dilation) {
    ptrdiff_t sum = 0;
    for (ptrdiff_t shift = pad; shift > pad - kernel * dilation; shift -= dilation)
        sum += spur__max(0, spur__min(outputs, inputs + shift) - spur__max(0, shift));
    return sum;
}

/* Products of inputs and weights for an image and a pair of channels, strides of one. */
static ptrdiff_t products_inside(const spur__conv_shape *s) {
    return taps_inside(s->oh, s->h, s->pad_top, s->kh, s->dilation_h) *
           taps_inside(s->ow, s->w, s->pad_left, s->kw, s->dilation_w);
}

/* The same with those of the padding. */
static ptrdiff_t products_in_all(const spur__conv_shape *s, spur__conv_pass pass) {
    return s->kh * s->kw * (pass == SPUR__CONV_BACKWARD_DATA ? s->h * s->w : s->oh * s->ow);
}

bool spur__conv_trims(const spur__conv_shape *s) {
    if (s->stride_h > 1 || s->stride_w > 1 || (s->dilation_h == 1 && s->dilation_w == 1))
        return false;
    return (double)products_in_all(s, SPUR__CONV_FORWARD) >= 1.2 * (double)products_inside(s);
}

/* What the direct algorithm multiplies for an image and a pair of channels in a 3x3 convolution. */
static ptrdiff_t direct_products(const spur__conv_shape *s, spur__conv_pass pass) {
    bool trimmed =
        pass == SPUR__CONV_BACKWARD_WEIGHTS ? s->c >= SPUR__IN_PLACE_CHANNELS : spur__conv_trims(s);
    return trimmed ? products_inside(s) : products_in_all(s, pass);
}

/* Whether Winograd's products, with what their transforms cost, are fewer than those of a dilated
 * convolution by the direct algorithm. The smaller the phases, the emptier the tiles. */
static bool pays(const spur__conv_shape *s, spur__conv_pass pass, ptrdiff_t products) {
    double least = pass == SPUR__CONV_BACKWARD_WEIGHTS ? 1.4 : 1.25;
    return (double)direct_products(s, pass) >= least * (double)products;
}

/* Whether a pass has so few channels that the direct algorithm is faster: sources of less than 8, each of
 * which Winograd's transforms would take for a vector; or outputs of less than 8, unless the sources
 * are enough to pay for the transforms. */
static bool is_narrow(const spur__conv_shape *s, spur__conv_pass pass) {
    bool data = pass == SPUR__CONV_BACKWARD_DATA;
    ptrdiff_t sources = data ? s->k : s->c, outputs = data ? s->c : s->k;
    return sources < 8 || (outputs < 8 && sources < 16);
}

/* F(4x4) wins wherever there are tiles to fill its register blocks; with few of them its 36 products
 * cost more in transforms than they save, then F(2x2), and with very few outputs direct. Phases of a
 * dilated image may have less than three outputs a side: F(2x2) needs fewer products for those. */
static spur__conv_algo choose(const spur__conv_shape *s, spur__conv_algo wish,
                              spur__conv_pass pass) {
    if (in_small_groups(s)) return SPUR__CONV_DEPTHWISE;
    if (wish == SPUR__CONV_DIRECT || !spur__winograd_possible(s)) return SPUR__CONV_DIRECT;
    if (wish != SPUR__CONV_AUTO) return wish;
    bool data = pass == SPUR__CONV_BACKWARD_DATA;
    bool dilated = s->dilation_h > 1 || s->dilation_w > 1;
    spur__winograd_cost four = spur__winograd_cost_of(s, 4, data);
    spur__winograd_cost two = spur__winograd_cost_of(s, 2, data);
    if (is_narrow(s, pass)) return SPUR__CONV_DIRECT;
    bool large = s->n * four.tiles > 12 && !(dilated && two.products < four.products);
    if (dilated && !pays(s, pass, large ? four.products : two.products)) return SPUR__CONV_DIRECT;
    return large ? SPUR__CONV_WINOGRAD4 : SPUR__CONV_WINOGRAD2;
}

static int edge_of(spur__conv_algo algo) {
    return algo == SPUR__CONV_WINOGRAD2 ? 2 : algo == SPUR__CONV_WINOGRAD4 ? 4 : 0;
}

bool spur__conv_swishes(const spur__conv_plan *plan) {
    return !edge_of(plan->algo[SPUR__CONV_FORWARD]);
}

bool spur__conv_pools(const spur__conv_shape *shape, spur__conv_algo wish) {
    spur__conv_shape s = *shape;
    if (complete(&s, NULL) != SPUR_OK) return false;
    for (int pass = 0; pass < SPUR__CONV_PASSES; pass++) {
        int m = edge_of(choose(&s, wish, (spur__conv_pass)pass));
        if (!m || !spur__winograd_pools(&s, m)) return false;
    }
    return true;
}

static spur__conv_memory memory_of(const spur__conv_plan *plan, spur__conv_pass pass) {
    int m = edge_of(plan->algo[pass]);
    bool weights = pass == SPUR__CONV_BACKWARD_WEIGHTS;
    if (plan->algo[pass] == SPUR__CONV_DEPTHWISE)
        return (spur__conv_memory){spur__depthwise_workspace(plan, pass), 0};
    if (m && weights) return spur__winograd_weights_memory(plan, m);
    if (m) return spur__winograd_memory(plan, m, pass == SPUR__CONV_BACKWARD_DATA);
    if (!weights) return spur__direct_memory(plan, pass);
    return spur__is_head(&plan->shape) ? spur__head_weights_memory(plan)
                                       : spur__direct_weights_memory(plan);
}

spur__conv_memory spur__conv_pooled_memory(const spur__conv_plan *plan,
                                           const spur__pool_shape *pool) {
    if (plan->algo[SPUR__CONV_FORWARD] != SPUR__CONV_DIRECT) return (spur__conv_memory){0};
    return spur__direct_pooled_memory(plan, pool);
}

static size_t packed_size(const spur__conv_plan *plan) {
    const spur__conv_shape *s = &plan->shape;
    int m = edge_of(plan->algo[SPUR__CONV_FORWARD]);
    if (m) return spur__winograd_packed(s, m);
    if (plan->algo[SPUR__CONV_FORWARD] == SPUR__CONV_DIRECT) return spur__direct_packed(s);
    return (size_t)(s->kh * s->kw * s->c / s->groups * s->k) * sizeof(float);
}

spur_status spur__conv_plan_init(spur__conv_plan *plan, const spur__conv_shape *shape,
                                 spur__conv_algo wish, int threads, spur_error *err) {
    *plan = (spur__conv_plan){.shape = *shape, .threads = threads < 1 ? 1 : threads};
    SPUR__TRY(check_sizes(shape, err));
    SPUR__TRY(complete(&plan->shape, err));
    for (int i = 0; i < SPUR__CONV_PASSES; i++) {
        spur__conv_pass pass = (spur__conv_pass)i;
        plan->algo[i] = choose(&plan->shape, wish, pass);
        plan->memory[i] = memory_of(plan, pass);
    }
    plan->packed = packed_size(plan);
    return SPUR_OK;
}

void spur__conv_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                     float *packed) {
    spur__conv_algo algo = plan->algo[SPUR__CONV_FORWARD];
    if (algo == SPUR__CONV_DEPTHWISE) {
        memcpy(packed, w, plan->packed);
        return;
    }
    if (edge_of(algo))
        spur__winograd_pack(plan, exec, edge_of(algo), w, packed);
    else
        spur__direct_pack(plan, exec, w, packed);
}

void spur__conv_forward(const spur__conv_plan *plan, const spur__exec *exec,
                        const spur__conv_forward_args *args) {
    spur__conv_algo algo = plan->algo[SPUR__CONV_FORWARD];
    if (algo == SPUR__CONV_DEPTHWISE)
        spur__depthwise_forward(plan, exec, args);
    else if (edge_of(algo))
        spur__winograd_forward(plan, exec, edge_of(algo), args);
    else
        spur__direct_forward(plan, exec, args);
}

void spur__conv_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                              const spur__conv_data_args *args) {
    spur__conv_algo algo = plan->algo[SPUR__CONV_BACKWARD_DATA];
    if (algo == SPUR__CONV_DEPTHWISE)
        spur__depthwise_backward_data(plan, exec, args);
    else if (edge_of(algo))
        spur__winograd_backward_data(plan, exec, edge_of(algo), args);
    else
        spur__direct_backward_data(plan, exec, args);
}

bool spur__conv_sums_x(const spur__conv_plan *plan) {
    const spur__conv_shape *s = &plan->shape;
    return plan->algo[SPUR__CONV_BACKWARD_WEIGHTS] == SPUR__CONV_DIRECT && !spur__is_head(s) &&
           s->dilation_h == 1 && s->dilation_w == 1 && s->stride_h == s->kh &&
           s->stride_w == s->kw && !s->pad_top && !s->pad_left && s->h == s->oh * s->kh &&
           s->w == s->ow * s->kw;
}

void spur__conv_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                 const spur__conv_weights_args *args) {
    spur__conv_algo algo = plan->algo[SPUR__CONV_BACKWARD_WEIGHTS];
    if (algo == SPUR__CONV_DEPTHWISE)
        spur__depthwise_backward_weights(plan, exec, args);
    else if (edge_of(algo))
        spur__winograd_backward_weights(plan, exec, edge_of(algo), args);
    else if (spur__is_head(&plan->shape))
        spur__head_backward_weights(plan, exec, args);
    else
        spur__direct_backward_weights(plan, exec, args);
}

/* ---- partial sums -------------------------------------------------------------------------- */

typedef struct reduce_job {
    float *dst;
    const float *part;
    ptrdiff_t parts, stride, n;
    bool accumulate;
} reduce_job;

enum { REDUCE_BLOCK = 4096 };

static void reduce_task(void *job, ptrdiff_t index, int thread) {
    const reduce_job *q = job;
    ptrdiff_t begin = index * REDUCE_BLOCK, n = spur__min(REDUCE_BLOCK, q->n - begin);
    float sum[REDUCE_BLOCK], *dst = q->dst + begin;
    (void)thread;
    for (ptrdiff_t i = 0; i < n; i++) sum[i] = q->part[begin + i];
    for (ptrdiff_t p = 1; p < q->parts; p++)
        for (ptrdiff_t i = 0; i < n; i++) sum[i] += q->part[p * q->stride + begin + i];
    for (ptrdiff_t i = 0; i < n; i++) dst[i] = q->accumulate ? dst[i] + sum[i] : sum[i];
}

void spur__reduce_parts(const spur__exec *exec, float *dst, const float *part, ptrdiff_t parts,
                        ptrdiff_t stride, ptrdiff_t n, bool accumulate) {
    reduce_job q = {dst, part, parts, stride, n, accumulate};
    spur__parallel(exec, spur__ceil_div(n, REDUCE_BLOCK), reduce_task, &q);
}
