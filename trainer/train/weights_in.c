/* SPDX-License-Identifier: MIT */
#include "train/weights_in.h"

#include <spur/weights.h>

#include "config/settings.h"

spur_status weights_load(network *n, const config *cfg, terminal *term, spur_error *err) {
    const char *path = config_common(cfg, SECTION_MODEL, model_settings)->weights;
    if (!*path) return SPUR_OK;
    spur_load_options options = {.head = n->model->head};
    spur_load_report report;
    spur_error detail = {.status = SPUR_OK};
    spur_status status = spur_weights_load(n->net, path, &options, &report, &detail);
    if (status != SPUR_OK)
        return config_fail(cfg, SECTION_MODEL, "weights", status, err, "%s", detail.message);
    if (report.text[0]) terminal_say(term, "%s: %s", path, report.text);
    return SPUR_OK;
}
