/* SPDX-License-Identifier: MIT
 *
 * Activations, value by value. A ReLU has a row of its own, which the planner merges into the layer
 * before it where that layer can do it.
 */
#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/vec.h"

typedef struct activation_options {
    spur__map_op op;
    float alpha;
} activation_options;

typedef struct activation_row {
    spur__op op;
    spur__map_op map;
    double alpha; /* default */
} activation_row;

static const activation_options *options_of(const spur_node *node) {
    return node->options;
}

static spur_status activation_shape(spur_node *node, spur_error *err) {
    SPUR__TRY(spur__expect_dtype(node, 0, SPUR_FLOAT32, err));
    if (!(options_of(node)->alpha >= 0))
        return spur__fail(err, SPUR_E_RANGE, "expected alpha from 0, found %g",
                          (double)options_of(node)->alpha);
    spur__shape_like(node, node->inputs[0]);
    return SPUR_OK;
}

static spur_status activation_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    bool from_output = spur__activation_from_output(options_of(node)->op);
    demand->backward_needs_output = from_output;
    demand->backward_needs_input[0] = !from_output;
    demand->in_place = 1;
    demand->gradient_in_place = 1;
    return SPUR_OK;
}

static void activation_forward(spur_node *node, const spur__run *run) {
    const activation_options *o = node->options;
    spur__vec_activation(&run->exec, (ptrdiff_t)spur__node_count(node), o->op, o->alpha,
                         node->inputs[0]->data, node->data);
}

static void activation_backward(spur_node *node, const spur__run *run) {
    const activation_options *o = node->options;
    int beta = spur__gradient_beta(node, 0);
    bool from_output = spur__activation_from_output(o->op);
    if (beta < 0) return;
    spur__vec_activation_backward(
        &run->exec, (ptrdiff_t)spur__node_count(node),
        &(spur__activation_gradient){.op = o->op,
                                     .alpha = o->alpha,
                                     .value = from_output ? node->data : node->inputs[0]->data,
                                     .dy = node->gradient,
                                     .dx = node->inputs[0]->gradient,
                                     .accumulate = beta == 1});
}

static void one_operator(spur__onnx *to, const char *type) {
    spur__onnx_op(to, type);
    spur__onnx_use_input(to, 0);
}

/* x * Phi(x), Phi the normal distribution's. */
static void gelu_onnx(spur__onnx *to) {
    const char *scaled = spur__onnx_op(to, "Div");
    spur__onnx_use_input(to, 0);
    spur__onnx_use_scalar(to, 1.41421356f);
    const char *erf = spur__onnx_op(to, "Erf");
    spur__onnx_use(to, scaled);
    const char *above = spur__onnx_op(to, "Add");
    spur__onnx_use(to, erf);
    spur__onnx_use_scalar(to, 1.0f);
    const char *twice = spur__onnx_op(to, "Mul");
    spur__onnx_use_input(to, 0);
    spur__onnx_use(to, above);
    spur__onnx_op(to, "Mul");
    spur__onnx_use(to, twice);
    spur__onnx_use_scalar(to, 0.5f);
}

static void silu_onnx(spur__onnx *to) {
    const char *gate = spur__onnx_op(to, "Sigmoid");
    spur__onnx_use_input(to, 0);
    spur__onnx_op(to, "Mul");
    spur__onnx_use_input(to, 0);
    spur__onnx_use(to, gate);
}

static void activation_onnx(const spur_node *node, spur__onnx *to) {
    static const struct {
        spur__map_op op;
        const char *type;
    } names[] = {{SPUR__MAP_RELU, "Relu"},       {SPUR__MAP_LEAKY_RELU, "LeakyRelu"},
                 {SPUR__MAP_ELU, "Elu"},         {SPUR__MAP_HARD_SWISH, "HardSwish"},
                 {SPUR__MAP_SIGMOID, "Sigmoid"}, {SPUR__MAP_HARD_SIGMOID, "HardSigmoid"},
                 {SPUR__MAP_TANH, "Tanh"}};
    const activation_options *o = node->options;
    if (o->op == SPUR__MAP_SILU) silu_onnx(to);
    if (o->op == SPUR__MAP_GELU) gelu_onnx(to);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].op == o->op) one_operator(to, names[i].type);
    if (o->op == SPUR__MAP_LEAKY_RELU || o->op == SPUR__MAP_ELU)
        spur__onnx_float(to, "alpha", o->alpha);
    if (o->op == SPUR__MAP_HARD_SIGMOID) spur__onnx_float(to, "alpha", 1.0f / 6.0f);
}

#define OP(name, ...)                                                                              \
    {                                                                                              \
        .kind = name, .shape = activation_shape, .plan = activation_plan,                          \
        .forward = activation_forward, .backward = activation_backward, .onnx = activation_onnx,   \
        .elementwise = true, __VA_ARGS__                                                           \
    }

static const activation_row rows[] = {
    [SPUR_RELU] = {OP("relu", .relu = true), SPUR__MAP_RELU, 0},
    [SPUR_LEAKY_RELU] = {OP("leaky_relu", .relu = false), SPUR__MAP_LEAKY_RELU, 0.01},
    [SPUR_ELU] = {OP("elu", .relu = false), SPUR__MAP_ELU, 1},
    [SPUR_SILU] = {OP("silu", .swish = SPUR__SILU), SPUR__MAP_SILU, 0},
    [SPUR_HARD_SWISH] = {OP("hard_swish", .swish = SPUR__HARD_SWISH), SPUR__MAP_HARD_SWISH, 0},
    [SPUR_HARD_SIGMOID] = {OP("hard_sigmoid", .relu = false), SPUR__MAP_HARD_SIGMOID, 0},
    [SPUR_GELU] = {OP("gelu", .relu = false), SPUR__MAP_GELU, 0},
    [SPUR_SIGMOID] = {OP("sigmoid", .relu = false), SPUR__MAP_SIGMOID, 0},
    [SPUR_TANH] = {OP("tanh", .relu = false), SPUR__MAP_TANH, 0},
};

spur_node *spur_activation(spur_net *net, spur_node *x, spur_activation_kind kind, double alpha) {
    if (kind < SPUR_RELU || kind > SPUR_TANH) {
        spur_error err = {0};
        spur__fail(&err, SPUR_E_ARGUMENT, "activation: unknown kind %d", (int)kind);
        return spur__net_fail(net, &err);
    }
    const activation_row *row = &rows[kind];
    bool standard = !(alpha < 0) && !(alpha > 0);
    activation_options o = {row->map, (float)(standard ? row->alpha : alpha)};
    return spur__node_create(net, &row->op, NULL, &x, 1, &o, sizeof o);
}

spur_node *spur_relu(spur_net *net, spur_node *x) {
    return spur_activation(net, x, SPUR_RELU, 0);
}
