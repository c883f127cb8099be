/* SPDX-License-Identifier: MIT
 *
 * The loops of broadcast.h: tasks are rows or pieces of rows of the result (forward) or of the
 * operand (backward).
 */
#include "kernels/broadcast.h"

#include <string.h>

enum { PIECE = 1 << 13, CHUNK = 64, LANES = 16 };

void spur__broadcast_merge(spur__broadcast *s) {
    int kept = 0;
    for (int i = 0; i < s->rank; i++) {
        if (s->size[i] == 1) continue;
        int last = kept - 1;
        if (kept && s->a[last] == s->a[i] * s->size[i] && s->b[last] == s->b[i] * s->size[i]) {
            s->size[last] *= s->size[i];
            s->a[last] = s->a[i];
            s->b[last] = s->b[i];
            continue;
        }
        s->size[kept] = s->size[i];
        s->a[kept] = s->a[i];
        s->b[kept] = s->b[i];
        kept++;
    }
    if (kept == 0) {
        s->size[0] = 1;
        s->a[0] = s->b[0] = 0;
        kept = 1;
    }
    s->rank = kept;
}

/* ---- forward -------------------------------------------------------------------------------- */

typedef struct job {
    const spur__broadcast *s;
    const float *a, *b, *dy;
    float *y, *da;
    ptrdiff_t rows, pieces; /* a row is cut into pieces, or a task is a group of rows */
    ptrdiff_t group;
    bool accumulate;
} job;

/* Strides are constants where they are the usual ones. */
static inline void combine_by(float *y, const float *a, ptrdiff_t sa, const float *b, ptrdiff_t sb,
                              ptrdiff_t n, bool multiply) {
    if (multiply)
        for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i * sa] * b[i * sb];
    else
        for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i * sa] + b[i * sb];
}

static void combine(float *y, const float *a, ptrdiff_t sa, const float *b, ptrdiff_t sb,
                    ptrdiff_t n, bool multiply, bool relu) {
    if (sa == 1 && sb == 1 && relu && !multiply) {
        for (ptrdiff_t i = 0; i < n; i++) {
            float sum = a[i] + b[i];
            y[i] = sum < 0.0f ? 0.0f : sum; /* NaN stays */
        }
        return;
    }
    if (sa == 1 && sb == 1)
        combine_by(y, a, 1, b, 1, n, multiply);
    else if (sa == 1 && sb == 0)
        combine_by(y, a, 1, &(const float){*b}, 0, n, multiply);
    else if (sa == 0 && sb == 1)
        combine_by(y, &(const float){*a}, 0, b, 1, n, multiply);
    else
        combine_by(y, a, sa, b, sb, n, multiply);
    for (ptrdiff_t i = 0; i < n && relu; i++) y[i] = y[i] < 0.0f ? 0.0f : y[i];
}

/* How many rows of this length go together: a whole task's work if they are short. */
static ptrdiff_t group_of(ptrdiff_t length) {
    return spur__max(1, PIECE / 2 / length);
}

static ptrdiff_t tasks_of(const job *j) {
    return spur__ceil_div(j->rows, j->group) * j->pieces;
}

/* Runs the pieces of rows of a task. */
static void run_task(const job *j, ptrdiff_t index,
                     void (*piece)(const job *j, ptrdiff_t row, ptrdiff_t piece)) {
    ptrdiff_t begin = index / j->pieces * j->group, end = spur__min(j->rows, begin + j->group);
    for (ptrdiff_t row = begin; row < end; row++) piece(j, row, index % j->pieces);
}

static void forward_piece(const job *j, ptrdiff_t row, ptrdiff_t piece) {
    const spur__broadcast *s = j->s;
    int last = s->rank - 1;
    ptrdiff_t begin, end, a = 0, b = 0, rest = row;
    spur__part(s->size[last], j->pieces, piece, &begin, &end);
    for (int i = last - 1; i >= 0; i--) {
        ptrdiff_t at = rest % s->size[i];
        rest /= s->size[i];
        a += at * s->a[i];
        b += at * s->b[i];
    }
    combine(j->y + row * s->size[last] + begin, j->a + a + begin * s->a[last], s->a[last],
            j->b + b + begin * s->b[last], s->b[last], end - begin, s->multiply, s->relu);
}

static void forward_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    run_task(context, index, forward_piece);
}

void spur__broadcast_forward(const spur__exec *exec, const spur__broadcast *s, const float *a,
                             const float *b, float *y) {
    ptrdiff_t length = s->size[s->rank - 1];
    job j = {.s = s, .a = a, .b = b, .y = y, .rows = 1, .pieces = spur__ceil_div(length, PIECE)};
    for (int i = 0; i + 1 < s->rank; i++) j.rows *= s->size[i];
    j.group = group_of(length);
    spur__parallel(exec, tasks_of(&j), forward_task, &j);
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Places in dy and b of step `index` of the walk over the axes that a lacks (all but the last). */
static void reduced_place(const spur__broadcast *s, const ptrdiff_t *dense, ptrdiff_t index,
                          ptrdiff_t *dy, ptrdiff_t *b) {
    for (int i = s->rank - 2; i >= 0; i--) {
        if (s->a[i] != 0) continue;
        *dy += index % s->size[i] * dense[i];
        *b += index % s->size[i] * s->b[i];
        index /= s->size[i];
    }
}

/* n columns of a row to which nothing is added. */
static void give_piece(const job *j, const float *dy, const float *b, ptrdiff_t sb, ptrdiff_t n,
                       float *da) {
    for (ptrdiff_t c = 0; c < n && j->accumulate; c++) da[c] += b ? dy[c] * b[c * sb] : dy[c];
    if (j->accumulate) return;
    if (b && sb == 0)
        for (ptrdiff_t c = 0; c < n; c++) da[c] = dy[c] * b[0];
    else if (b)
        for (ptrdiff_t c = 0; c < n; c++) da[c] = dy[c] * b[c * sb];
    else
        memmove(da, dy, (size_t)n * sizeof *da);
}

/* sum[c % LANES] += dy[c] (times b[c]) over n columns. */
static void add_lanes(double *sum, const float *dy, const float *b, ptrdiff_t sb, ptrdiff_t n) {
    ptrdiff_t c = 0;
    for (; c + LANES <= n; c += LANES)
        for (ptrdiff_t i = 0; i < LANES; i++)
            sum[i] += (double)(b ? dy[c + i] * b[(c + i) * sb] : dy[c + i]);
    for (ptrdiff_t i = 0; c < n; c++, i++) sum[i] += (double)(b ? dy[c] * b[c * sb] : dy[c]);
}

/* One piece of a row of `a`: sums of n <= CHUNK columns, or of the whole row when a lacks it. */
static void sum_piece(const job *j, const ptrdiff_t *dense, ptrdiff_t dy0, ptrdiff_t b0,
                      ptrdiff_t n, float *da) {
    const spur__broadcast *s = j->s;
    int last = s->rank - 1;
    bool keeps = s->a[last] != 0;
    ptrdiff_t steps = 1, sb = s->b[last];
    double sum[CHUNK] = {0};
    for (int i = 0; i < last; i++) steps *= s->a[i] ? 1 : s->size[i];
    if (steps == 1 && keeps) {
        give_piece(j, j->dy + dy0, s->multiply ? j->b + b0 : NULL, sb, n, da);
        return;
    }
    for (ptrdiff_t step = 0; step < steps; step++) {
        ptrdiff_t d = dy0, o = b0;
        reduced_place(s, dense, step, &d, &o);
        const float *dy = j->dy + d, *b = s->multiply ? j->b + o : NULL;
        if (keeps && b)
            for (ptrdiff_t c = 0; c < n; c++) sum[c] += (double)(dy[c] * b[c * sb]);
        else if (keeps)
            for (ptrdiff_t c = 0; c < n; c++) sum[c] += (double)dy[c];
        else if (sb == 1)
            add_lanes(sum, dy, b, 1, n);
        else
            add_lanes(sum, dy, b, sb, n);
    }
    for (ptrdiff_t i = 1; i < LANES && !keeps; i++) sum[0] += sum[i];
    for (ptrdiff_t c = 0; c < (keeps ? n : 1); c++)
        da[c] = (j->accumulate ? da[c] : 0.0f) + (float)sum[c];
}

/* A row of `a` is what its axes before the last name. */
static void backward_piece(const job *j, ptrdiff_t row, ptrdiff_t piece) {
    const spur__broadcast *s = j->s;
    int last = s->rank - 1;
    ptrdiff_t dense[SPUR__AXES], rest = row, begin, end, dy = 0, b = 0, a = 0;
    bool keeps = s->a[last] != 0;
    dense[last] = 1;
    for (int i = last; i > 0; i--) dense[i - 1] = dense[i] * s->size[i];
    for (int i = last - 1; i >= 0; i--) {
        if (s->a[i] == 0) continue;
        ptrdiff_t at = rest % s->size[i];
        rest /= s->size[i];
        a += at * s->a[i];
        b += at * s->b[i];
        dy += at * dense[i];
    }
    if (!keeps) {
        sum_piece(j, dense, dy, b, s->size[last], j->da + a);
        return;
    }
    spur__part(s->size[last], j->pieces, piece, &begin, &end);
    for (ptrdiff_t c = begin; c < end; c += CHUNK)
        sum_piece(j, dense, dy + c, b + c * s->b[last], spur__min(CHUNK, end - c), j->da + a + c);
}

static void backward_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    run_task(context, index, backward_piece);
}

/* Without axes to sum over there is nothing to keep in double precision. */
static bool nothing_summed(const spur__broadcast *s) {
    return s->rank == 1 && s->a[0] == 1;
}

static void plain_task(void *context, ptrdiff_t index, int thread) {
    const job *j = context;
    ptrdiff_t begin = index * PIECE, end = spur__min(begin + PIECE, j->s->size[0]);
    const float *dy = j->dy, *b = j->b;
    ptrdiff_t sb = j->s->b[0];
    float *da = j->da;
    (void)thread;
    if (j->s->multiply && j->accumulate)
        for (ptrdiff_t i = begin; i < end; i++) da[i] += dy[i] * b[i * sb];
    else if (j->s->multiply)
        for (ptrdiff_t i = begin; i < end; i++) da[i] = dy[i] * b[i * sb];
    else if (j->accumulate)
        for (ptrdiff_t i = begin; i < end; i++) da[i] += dy[i];
    else if (da != dy)
        memcpy(da + begin, dy + begin, (size_t)(end - begin) * sizeof *da);
}

void spur__broadcast_backward(const spur__exec *exec, const spur__broadcast *s, const float *dy,
                              const float *b, float *da, bool accumulate) {
    job j = {.s = s, .b = b, .dy = dy, .da = da, .accumulate = accumulate, .rows = 1, .pieces = 1};
    if (nothing_summed(s)) {
        spur__parallel(exec, spur__ceil_div(s->size[0], PIECE), plain_task, &j);
        return;
    }
    ptrdiff_t summed = s->size[s->rank - 1]; /* values that a row of a is made of, or more */
    for (int i = 0; i + 1 < s->rank; i++) {
        j.rows *= s->a[i] ? s->size[i] : 1;
        summed *= s->a[i] ? 1 : s->size[i];
    }
    if (s->a[s->rank - 1]) j.pieces = spur__ceil_div(s->size[s->rank - 1], PIECE);
    j.group = j.pieces > 1 ? 1 : group_of(summed);
    spur__parallel(exec, tasks_of(&j), backward_task, &j);
}
