/* SPDX-License-Identifier: MIT
 *
 * Text: DT_STRING of rank 0 (a Markdown document), 1 (a list of cells) or 2 (a table).
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kinds/tensor.h"
#include "write/writer.h"

static spur_status check_cells(const char *const *cells, size_t count, spur_error *err) {
    if (count && !cells) return spur__fail(err, SPUR_E_ARGUMENT, "the cells are NULL");
    for (size_t i = 0; i < count; i++) SPUR__TRY(spur__check_text(cells[i], "the text", err));
    return SPUR_OK;
}

static spur_status log_cells(spur_writer *w, const char *tag, int64_t step,
                             const char *const *cells, const int64_t *dims, size_t rank,
                             const spur_log_options *options) {
    size_t count = 1;
    spur_error err;
    spur__tensor tensor;
    for (size_t i = 0; i < rank; i++)
        if (!spur__mul(count, (size_t)dims[i], &count))
            return spur__point_failf(w, tag, step, SPUR_E_RANGE, "the table is too large");
    if (check_cells(cells, count, &err) != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    if (spur__tensor_strings(&tensor, count, dims, rank, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    for (size_t i = 0; i < count; i++) spur__tensor_string(&tensor, i, cells[i], strlen(cells[i]));
    spur__entry entry = {.kind = SPUR__TAG_TEXT,
                         .tag = tag,
                         .step = step,
                         .tensor = &tensor.proto,
                         .options = options};
    spur_status status = spur__log_entry(w, &entry);
    spur__tensor_free(&tensor);
    return status;
}

spur_status spur_log_text(spur_writer *w, const char *tag, int64_t step, const char *markdown,
                          const spur_log_options *options) {
    if (!spur__alive(w)) return SPUR_OK;
    return log_cells(w, tag, step, &markdown, NULL, 0, options);
}

spur_status spur_log_text_table(spur_writer *w, const char *tag, int64_t step,
                                const spur_log_cells *cells, const spur_log_options *options) {
    if (!spur__alive(w)) return SPUR_OK;
    if (!cells) return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the cells are NULL");
    int64_t dims[2] = {(int64_t)cells->rows, (int64_t)cells->columns};
    return log_cells(w, tag, step, cells->cells, dims, cells->columns ? 2 : 1, options);
}
