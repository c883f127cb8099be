/* SPDX-License-Identifier: MIT
 *
 * A pass over the validation data. A signal ends it after the batch at work: nothing of it was
 * logged, and the run, when it is continued, begins with this pass.
 */
#include "base/error.h"
#include "run/stop.h"
#include "train/gallery.h"
#include "train/session.h"

/* Counts a batch whose forward run is done; shared with `spur eval`. */
static spur_status count(session *s, const spur_batch *batch, spur_error *err) {
    network *n = &s->net;
    pass *p = &s->val_pass;
    size_t rows = batch->count * network_rows(n);
    p->loss_sum += (double)spur_net_loss(n->net) * (double)batch->count;
    p->samples += (double)batch->count;
    if (s->info->task == SPUR_REGRESSION) {
        spur_tally_add_values(p->tally, network_output(n), rows * (size_t)n->outputs,
                              batch->targets);
        return SPUR_OK;
    }
    return spur_tally_add(p->tally, network_output(n), rows, n->outputs, batch->labels, err);
}

static spur_status run(session *s, gallery *g, spur_error *err) {
    spur_batch batch;
    SPUR__TRY(spur_loader_seek(s->val_loader, 0, 0, err));
    pass_reset(&s->val_pass);
    for (int64_t i = 0; i < s->val_batches; i++) {
        if (stop_requested()) return spur__fail(err, SPUR_E_INTERRUPTED, "stopped by a signal");
        SPUR__TRY(spur_loader_next(s->val_loader, &batch, err));
        SPUR__TRY(network_feed(&s->net, &batch, err));
        spur_status status = spur_net_forward(s->net.net, SPUR_EVAL, err);
        if (status == SPUR_E_NUMERIC)
            spur__error_prefix(err, "validation after step %lld", (long long)s->at.step);
        SPUR__TRY(status);
        SPUR__TRY(count(s, &batch, err));
        if (g) gallery_add(g, s, &batch);
    }
    return SPUR_OK;
}

spur_status session_validate(session *s, gallery *g, pass_result *result, spur_error *err) {
    if (s->ema) spur_ema_swap(s->ema);
    spur_status status = run(s, g, err);
    if (s->ema) spur_ema_swap(s->ema);
    if (status == SPUR_OK) *result = pass_finish(&s->val_pass, &s->measures);
    return status;
}
