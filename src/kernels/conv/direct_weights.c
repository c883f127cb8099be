/* SPDX-License-Identifier: MIT
 *
 * Weight gradient with register tiles: for every kernel row r, dw[r] is a matrix [kw * c][k] that
 * sums, over all output pixels, the kw * c input values under the kernel times dy's k values.
 *
 * The pixels are cut into blocks (a band of rows of one image, or several small images); the blocks
 * into `parts` by shape alone. A task takes one part, COLUMNS output channels and some of the input
 * channels, of some groups, which it goes through block by block; it copies dy (ReLU-masked, as panels) into scratch and adds the block's sums to its piece
 * of dw. The input is read where it lies, tap by tap, without the pixels that see padding; with few
 * channels its rows are copied, zero-padded, so that a row of taps is one stretch. With several parts
 * these are partial sums, added at the end, in order: good for few weights; many weights are shared
 * out by channels instead.
 */
#include <string.h>

#include "kernels/prefetch.h"
#include "kernels/conv/internal.h"

enum {
    COLUMNS = 128, /* output channels of a task; a multiple of every nr */
    CHANNELS = 256, /* most input channels of a task */
    LEAST_CHANNELS = 64, /* of a task, to get more of them */
    BLOCK_PIXELS = 256,
    BLOCK_FLOATS = 80 * 1024,
    TASKS = 16, /* wanted, for teams up to 8 */
    LEAST_TASKS = 8,
    LINE = 16, /* floats that come near at once */
    PART_FLOATS = 256 * 1024, /* partial sums in all, if there are LEAST_TASKS with so many */
    GROUPS_FLOATS = 128 * 1024 /* of the sums of a task's groups */
};

typedef struct weights_job {
    const spur__conv_shape *s;
    const spur__simd *simd;
    const float *x, *dy, *mask;
    ptrdiff_t n, c, k; /* channels of a group */
    bool in_place;
    ptrdiff_t band, bands, images; /* block: output rows of an image, blocks of it, images */
    ptrdiff_t rows, columns, pitch; /* of an image in the input or the copy: pixels, floats */
    bool touching; /* a row of taps is one stretch */
    ptrdiff_t blocks;
    ptrdiff_t parts, group_tasks, column_tasks, channel_tasks;
    float *partial; /* [parts][kh][kw][c][k of all groups] */
    float *bias; /* [parts][k of all groups], or NULL */
    float *x_sums; /* [parts][c of all groups], or NULL */
    ptrdiff_t partial_floats;
    bool add; /* the first block is added to what is there */
    const spur__exec *exec;
    ptrdiff_t x_floats, dy_floats; /* of a thread's scratch, behind the runs */
} weights_job;

/* Memory without gaps that tiles ask for meanwhile. */
typedef struct stretch {
    const float *at;
    ptrdiff_t lines; /* left */
} stretch;

enum { NEXT_X, NEXT_DY, NEXT_MASK, NEXT_COUNT };

/* What a task works on. */
typedef struct piece {
    ptrdiff_t first_group, groups, column, columns, channel, channels;
    ptrdiff_t *runs; /* [2][images * band] offsets of rows in the input and in dy */
    float *x, *dy; /* scratch, as the runs */
    float *dw, *bias, *x_sums; /* of group 0, wherever the first one is */
    /* on the way to the next block: what lies without gaps, lines of it for a tile; the rest */
    stretch plain[NEXT_COUNT];
    ptrdiff_t share;
    spur__prefetch next[NEXT_COUNT];
} piece;

/* A block of a group: output rows [y, y + rows) of images, and where input pixel (0, 0) of the first
 * lies (of the image, or of the copy, which has no padding to leave out). */
typedef struct block {
    ptrdiff_t group, image, images, y, rows;
    const float *x;
} block;

static ptrdiff_t input_rows(const spur__conv_shape *s, ptrdiff_t band) {
    return (band - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
}

/* The pixels of a block. */
static void choose_blocks(weights_job *q) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t band = spur__max(1, spur__min(s->oh, BLOCK_PIXELS / s->ow));
    while (!q->in_place && band > 1 && input_rows(s, band) * q->columns * q->c > BLOCK_FLOATS)
        band = (band + 1) / 2;
    q->bands = spur__ceil_div(s->oh, band);
    q->band = spur__ceil_div(s->oh, q->bands);
    q->rows = q->in_place ? s->h : input_rows(s, q->band);
    q->images = 1;
    if (q->bands == 1) {
        ptrdiff_t floats = q->in_place ? 1 : q->rows * q->columns * q->c;
        ptrdiff_t images = spur__min(BLOCK_PIXELS / (s->oh * s->ow), BLOCK_FLOATS / floats);
        q->images = spur__max(1, spur__min(images, q->n));
    }
    q->blocks = spur__ceil_div(q->n, q->images) * q->bands;
}

/* Parts of few weights, a power of two of them where groups are to be shared out evenly as well. */
static ptrdiff_t parts_wanted(const weights_job *q) {
    ptrdiff_t parts = spur__max(1, spur__min(q->blocks, PART_FLOATS / q->partial_floats));
    while (q->s->groups > 1 && (parts & (parts - 1))) parts &= parts - 1;
    return parts;
}

/* How many parts, and pieces of the weights. */
static void choose_tasks(weights_job *q) {
    ptrdiff_t parts = parts_wanted(q);
    q->column_tasks = spur__ceil_div(q->k, COLUMNS);
    q->group_tasks =
        spur__min(q->s->groups, spur__max(spur__ceil_div(q->partial_floats, GROUPS_FLOATS),
                                          spur__ceil_div(TASKS, parts * q->column_tasks)));
    ptrdiff_t wanted = spur__ceil_div(TASKS, q->column_tasks * q->group_tasks);
    ptrdiff_t share = spur__min(spur__ceil_div(wanted, parts), q->c / LEAST_CHANNELS);
    q->channel_tasks = spur__max(spur__ceil_div(q->c, CHANNELS), share);
    ptrdiff_t pieces = q->column_tasks * q->channel_tasks * q->group_tasks;
    parts = spur__max(parts, spur__ceil_div(LEAST_TASKS, pieces));
    q->parts = spur__min(spur__min(parts, spur__ceil_div(TASKS, pieces)), q->blocks);
}

static void plan_job(weights_job *q, const spur__conv_shape *s, ptrdiff_t n) {
    *q = (weights_job){
        .s = s, .simd = spur__simd_table(), .n = n, .c = s->c / s->groups, .k = s->k / s->groups};
    q->partial_floats = s->kh * s->kw * q->c * s->k;
    q->columns = (s->ow - 1) * s->stride_w + (s->kw - 1) * s->dilation_w + 1;
    bool inside = !s->pad_top && !s->pad_left && q->columns <= s->w && input_rows(s, s->oh) <= s->h;
    q->in_place = inside || q->c >= SPUR__IN_PLACE_CHANNELS;
    if (q->in_place) q->columns = s->w;
    q->pitch = q->in_place ? s->x_pitch : q->c;
    q->touching = q->pitch == q->c && s->dilation_w == 1 && (inside || !q->in_place);
    choose_blocks(q);
    choose_tasks(q);
    if (!q->in_place) q->x_floats = spur__round_up(q->images * q->rows * q->columns * q->c, 16);
    q->dy_floats = q->images * q->band * s->ow * COLUMNS;
}

static void copy_input_row(const weights_job *q, const piece *p, const float *x, ptrdiff_t row,
                           float *out) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t begin = s->pad_left, end = spur__min(q->columns, s->pad_left + s->w);
    if (row < 0 || row >= s->h || end <= begin) {
        memset(out, 0, (size_t)(q->columns * q->pitch) * sizeof(float));
        return;
    }
    memset(out, 0, (size_t)(begin * q->pitch) * sizeof(float));
    spur__pixels pixels = {x + row * s->w * s->x_pitch, NULL, end - begin, p->channels, s->x_pitch};
    q->simd->copy_pixels(&pixels, out + begin * q->pitch, q->pitch);
    memset(out + end * q->pitch, 0, (size_t)((q->columns - end) * q->pitch) * sizeof(float));
}

/* The input rows under a block, in scratch. */
static const float *copy_rows(const weights_job *q, const piece *p, const block *b) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t row = q->columns * q->pitch, first = b->y * s->stride_h - s->pad_top;
    for (ptrdiff_t i = 0; i < b->images; i++)
        for (ptrdiff_t r = 0; r < input_rows(s, b->rows); r++)
            copy_input_row(q, p, b->x + i * s->h * s->w * s->x_pitch, first + r,
                           p->x + (i * q->rows + r) * row);
    return p->x;
}

/* Where dy of a block begins, at the group's and the piece's first column. */
static ptrdiff_t gradient_at(const weights_job *q, const piece *p, const block *b) {
    const spur__conv_shape *s = q->s;
    return (b->image * s->oh + b->y) * s->ow * s->y_pitch + b->group * q->k + p->column;
}

/* Panels of the piece's columns of dy over a block. */
static void pack_dy(const weights_job *q, const piece *p, const block *b) {
    ptrdiff_t pixels = b->images * b->rows * q->s->ow;
    float *bias = p->bias ? p->bias + b->group * q->k : NULL;
    for (ptrdiff_t j = 0; j < p->columns; j += q->simd->nr) {
        ptrdiff_t across = spur__min(q->simd->nr, p->columns - j), at = gradient_at(q, p, b) + j;
        spur__pixels from = {q->dy + at, q->mask ? q->mask + at : NULL, pixels, across,
                             q->s->y_pitch};
        q->simd->pack_panel(&from, across > q->simd->vl ? q->simd->nr : q->simd->vl,
                            p->dy + j * pixels, bias ? bias + j : NULL);
    }
}

/* Sums of the input under a block, which windows cover without a gap; tiles read it next. */
static void add_input(const weights_job *q, const piece *p, const block *b) {
    const spur__conv_shape *s = q->s;
    float sums[CHANNELS], *to = p->x_sums + b->group * q->c;
    ptrdiff_t row = s->w * s->x_pitch, rows = b->rows * s->kh;
    for (ptrdiff_t i = 0; i < b->images; i++) {
        spur__pixels x = {b->x + (i * s->h + b->y * s->kh) * row, NULL, rows * s->w, p->channels,
                          s->x_pitch};
        q->simd->column_sums(&x, sums);
        for (ptrdiff_t c = 0; c < p->channels; c++) to[c] += sums[c];
    }
}

/* Output positions [begin, end) of `count` that see the input, `size` wide, through a tap whose
 * first input position is `at`. */
static void visible(ptrdiff_t at, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t count,
                    ptrdiff_t *begin, ptrdiff_t *end) {
    *begin = at < 0 ? spur__min(spur__ceil_div(-at, stride), count) : 0;
    *end = at < size ? spur__ceil_div(size - at, stride) : 0;
    *end = spur__max(*begin, spur__min(*end, count));
}

/* Runs of kernel row r: the block's output rows that see the input through it. */
static void list_runs(const weights_job *q, const block *b, ptrdiff_t r, spur__tile *t,
                      ptrdiff_t *runs) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t at = r * s->dilation_h, row = q->columns * q->pitch, begin = 0, end = b->rows;
    ptrdiff_t *b_runs = runs + q->images * q->band;
    if (q->in_place) {
        at += b->y * s->stride_h - s->pad_top;
        visible(at, s->stride_h, s->h, b->rows, &begin, &end);
    }
    t->runs = 0;
    for (ptrdiff_t i = 0; i < b->images; i++)
        for (ptrdiff_t j = begin; j < end; j++, t->runs++) {
            runs[t->runs] = i * q->rows * row + (at + j * s->stride_h) * row;
            b_runs[t->runs] = (i * b->rows + j) * s->ow;
        }
    t->a_run = runs;
    t->b_run = b_runs;
}

/* Rows of pixels: `width` floats of each; rows and pixels lie so many floats apart. */
typedef struct field {
    const float *at;
    ptrdiff_t rows, row, pixels, pitch, width;
} field;

/* Brings a field near in the time of so many tiles. */
static void bring(piece *p, int which, const field *f, ptrdiff_t tiles) {
    const ptrdiff_t value = sizeof(float);
    if (f->rows <= 0) return;
    if (f->width == f->pitch && f->row == f->pixels * f->pitch)
        p->plain[which] = (stretch){f->at, f->rows * f->row / LINE};
    else
        p->next[which] = spur__prefetch_block(f->at, f->rows, f->row * value, f->pixels,
                                              f->pitch * value, f->width * value, tiles);
}

/* The input under a block: its rows, or of a kernel smaller than its steps the first tap's. */
static void bring_input(const weights_job *q, piece *p, const block *b, ptrdiff_t tiles) {
    const spur__conv_shape *s = q->s;
    bool all = s->kh >= s->stride_h && s->kw >= s->stride_w;
    ptrdiff_t row = s->w * s->x_pitch, step_y = all ? 1 : s->stride_h,
              step_x = all ? 1 : s->stride_w;
    ptrdiff_t first = spur__max(0, b->y * s->stride_h - s->pad_top);
    ptrdiff_t last = b->y * s->stride_h - s->pad_top + input_rows(s, b->rows);
    ptrdiff_t rows = spur__ceil_div(spur__min(s->h, last) - first, step_y);
    if (b->images > 1) rows = b->images * spur__ceil_div(s->h, step_y);
    if (b->images > 1 && s->h % step_y != 0) rows = 0;
    bring(p, NEXT_X,
          &(field){b->x + first * row, rows, step_y * row, spur__ceil_div(s->w, step_x),
                   step_x * s->x_pitch, p->channels},
          tiles);
}

/* All that block `next` reads, if the task has one; in the time of so many tiles. */
static void bring_block(const weights_job *q, piece *p, const block *next, ptrdiff_t tiles) {
    const spur__conv_shape *s = q->s;
    memset(p->plain, 0, sizeof p->plain);
    memset(p->next, 0, sizeof p->next);
    if (!next) return;
    ptrdiff_t rows = next->images * next->rows, row = s->ow * s->y_pitch, lines = 0;
    ptrdiff_t at = gradient_at(q, p, next);
    bring_input(q, p, next, tiles);
    field gradient = {q->dy + at, rows, row, s->ow, s->y_pitch, p->columns};
    bring(p, NEXT_DY, &gradient, tiles);
    if (q->mask) {
        gradient.at = q->mask + at;
        bring(p, NEXT_MASK, &gradient, tiles);
    }
    for (int i = 0; i < NEXT_COUNT; i++) lines += p->plain[i].lines;
    p->share = spur__ceil_div(lines, tiles);
}

/* What the tile is to ask for. */
static void give_share(piece *p, spur__tile *t) {
    ptrdiff_t asks = spur__max(1, t->runs * spur__ceil_div(t->run_length, SPUR__TILE_ASK));
    int i = 0;
    while (i < NEXT_COUNT && p->plain[i].lines < asks) i++; /* too little is left */
    t->next = NULL;
    for (int k = 0; k < NEXT_COUNT; k++) spur__prefetch_step(&p->next[k]);
    if (i == NEXT_COUNT) return;
    stretch *from = &p->plain[i];
    t->next = from->at;
    t->next_lines = spur__min(spur__ceil_div(p->share, asks), from->lines / asks);
    from->at += t->next_lines * asks * LINE;
    from->lines -= t->next_lines * asks;
}

/* One tap, or a row of taps that touch: strips of mr of its values times all panels. */
static void tap_tiles(const weights_job *q, piece *p, const block *b, spur__tile *t, ptrdiff_t tap,
                      ptrdiff_t values) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t strips = spur__ceil_div(values, q->simd->mr), pixels = b->images * b->rows * s->ow;
    ptrdiff_t at = tap % s->kw * s->dilation_w, first = 0, last = s->ow;
    if (q->in_place) {
        at -= s->pad_left;
        visible(at, s->stride_w, s->w, s->ow, &first, &last);
    }
    t->run_length = last - first;
    for (ptrdiff_t j = 0; j < p->columns; j += q->simd->nr) {
        t->cols = spur__min(q->simd->nr, p->columns - j);
        t->b = p->dy + j * pixels + first * (t->cols > q->simd->vl ? q->simd->nr : q->simd->vl);
        for (ptrdiff_t i = 0; i < strips; i++) {
            ptrdiff_t begin, end;
            spur__part(values, strips, i, &begin, &end);
            t->rows = end - begin;
            t->a = b->x + (at + first * s->stride_w) * q->pitch + begin;
            t->c = p->dw + (tap * q->c + begin) * s->k + b->group * q->k + j;
            give_share(p, t);
            q->simd->tile(t);
        }
    }
}

/* dw (+)= block's sums. Tiles of this block bring near what block `next` reads, if the task has it. */
static void block_tiles(const weights_job *q, piece *p, const block *b, spur__tile *t,
                        ptrdiff_t *runs, const block *next) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t together = q->touching && p->channels == q->c ? s->kw : 1;
    ptrdiff_t values = p->channels * together;
    ptrdiff_t tiles = s->kh * (s->kw / together) * spur__ceil_div(values, q->simd->mr) *
                      spur__ceil_div(p->columns, q->simd->nr);
    bring_block(q, p, next, tiles);
    for (ptrdiff_t r = 0; r < s->kh; r++) {
        list_runs(q, b, r, t, runs);
        for (ptrdiff_t i = 0; i < s->kw; i += together)
            tap_tiles(q, p, b, t, r * s->kw + i, values);
    }
}

static size_t runs_bytes(const weights_job *q) {
    size_t runs = (size_t)(2 * q->images * q->band);
    return (runs * sizeof(ptrdiff_t) + 63) & ~(size_t)63;
}

/* Task `rest` of those of one part, with the scratch of a thread. */
static piece piece_of(const weights_job *q, ptrdiff_t part, ptrdiff_t rest, int thread) {
    piece p = {.column = rest % q->column_tasks * COLUMNS, .runs = spur__scratch(q->exec, thread)};
    ptrdiff_t share = rest / q->column_tasks % q->channel_tasks, end;
    spur__part(q->s->groups, q->group_tasks, rest / q->column_tasks / q->channel_tasks,
               &p.first_group, &end);
    p.groups = end - p.first_group;
    p.columns = spur__min(COLUMNS, q->k - p.column);
    spur__part(spur__ceil_div(q->c, 16), q->channel_tasks, share, &p.channel, &end);
    p.channel *= 16;
    p.channels = spur__min(q->c, end * 16) - p.channel;
    p.dw = q->partial + part * q->partial_floats + p.channel * q->s->k + p.column;
    p.bias = q->bias && share == 0 ? q->bias + part * q->s->k + p.column : NULL;
    if (q->x_sums && p.column == 0) p.x_sums = q->x_sums + part * q->s->c + p.channel;
    p.x = (float *)(void *)((char *)p.runs + runs_bytes(q));
    p.dy = p.x + q->x_floats;
    return p;
}

/* Block i / groups of the next group in turn, and where it begins in the input: its first image. */
static block block_at(const weights_job *q, const piece *p, ptrdiff_t i) {
    const spur__conv_shape *s = q->s;
    ptrdiff_t at = i / p->groups;
    block b = {.group = p->first_group + i % p->groups,
               .image = at / q->bands * q->images,
               .y = at % q->bands * q->band};
    b.images = spur__min(q->images, q->n - b.image);
    b.rows = spur__min(q->band, s->oh - b.y);
    b.x = q->x + b.image * s->h * s->w * s->x_pitch + b.group * q->c + p->channel;
    return b;
}

static void weights_task(void *job, ptrdiff_t index, int thread) {
    const weights_job *q = job;
    const spur__conv_shape *s = q->s;
    ptrdiff_t part = index % q->parts, begin, end;
    piece p = piece_of(q, part, index / q->parts, thread);
    spur__part(q->blocks, q->parts, part, &begin, &end);
    begin *= p.groups;
    end *= p.groups;
    for (ptrdiff_t g = p.first_group; g < p.first_group + p.groups; g++) {
        if (p.bias) memset(p.bias + g * q->k, 0, (size_t)p.columns * sizeof(float));
        if (p.x_sums) memset(p.x_sums + g * q->c, 0, (size_t)p.channels * sizeof(float));
    }
    spur__tile t = {.a_row = 1, .a_step = s->stride_w * q->pitch, .c_row = s->k};
    for (ptrdiff_t i = begin; i < end; i++) {
        block b = block_at(q, &p, i), next = block_at(q, &p, spur__min(i + 1, end - 1));
        if (p.x_sums) add_input(q, &p, &b);
        if (!q->in_place) b.x = copy_rows(q, &p, &b);
        pack_dy(q, &p, &b);
        t.load = q->add || i >= begin + p.groups;
        block_tiles(q, &p, &b, &t, p.runs, i + 1 < end ? &next : NULL);
    }
}

static size_t partial_bytes(const weights_job *q) {
    ptrdiff_t floats = (q->parts > 1 ? q->partial_floats : 0) + q->s->k + q->s->c;
    return (size_t)spur__round_up(q->parts * floats, 16) * sizeof(float);
}

spur__conv_memory spur__direct_weights_memory(const spur__conv_plan *plan) {
    weights_job q;
    plan_job(&q, &plan->shape, plan->shape.n);
    size_t copies = (size_t)(q.x_floats + q.dy_floats) * sizeof(float);
    return (spur__conv_memory){partial_bytes(&q), runs_bytes(&q) + copies};
}

void spur__direct_backward_weights(const spur__conv_plan *plan, const spur__exec *exec,
                                   const spur__conv_weights_args *args) {
    const spur__conv_shape *s = &plan->shape;
    weights_job q;
    plan_job(&q, s, args->n);
    q.x = args->x;
    q.dy = args->dy;
    q.mask = args->relu_y;
    q.exec = exec;
    float *sums = args->workspace;
    float *bias = sums + (q.parts > 1 ? q.parts * q.partial_floats : 0);
    q.partial = q.parts > 1 ? sums : args->dw;
    q.add = q.parts == 1 && args->accumulate;
    q.bias = args->dbias ? bias : NULL;
    q.x_sums = args->x_sums ? bias + q.parts * s->k : NULL;
    spur__parallel(exec, q.parts * q.column_tasks * q.channel_tasks * q.group_tasks, weights_task,
                   &q);
    if (q.parts > 1)
        spur__reduce_parts(exec, args->dw, sums, q.parts, q.partial_floats, q.partial_floats,
                           args->accumulate);
    if (args->dbias)
        spur__reduce_parts(exec, args->dbias, bias, q.parts, s->k, s->k, args->accumulate);
    if (args->x_sums)
        spur__reduce_parts(exec, args->x_sums, q.x_sums, q.parts, s->c, s->c, args->accumulate);
}
