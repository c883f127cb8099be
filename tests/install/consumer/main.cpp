// SPDX-License-Identifier: MIT
// The same from C++17: the headers are clean there, and a writer fits into a unique_ptr.
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include <spur/events.h>
#include <spur/log.h>

struct close_writer {
    void operator()(spur_writer *writer) const { spur_writer_close(writer, nullptr); }
};

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    spur_writer *opened = nullptr;
    spur_error err{};
    spur_writer_options options{};
    options.directory = argv[1];
    if (spur_writer_open(&opened, &options, &err)) {
        std::fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    std::unique_ptr<spur_writer, close_writer> log(opened);
    std::vector<float> values(100);
    for (std::size_t i = 0; i < values.size(); i++) values[i] = std::sin(static_cast<float>(i));
    for (int step = 0; step < 10; step++) spur_log_scalar(log.get(), "loss", step, 1.0 / (step + 1));
    spur_log_histogram_options buckets{};
    buckets.buckets = 20;
    spur_log_histogram(log.get(), "values", 0, spur_log_floats(values.data(), values.size()), &buckets);
    if (spur_writer_flush(log.get()) || spur_writer_error(log.get(), &err)) {
        std::fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    std::size_t read = 0;
    spur_run *run = nullptr;
    if (spur_run_open(&run, argv[1], &err)) return 1;
    for (spur_event event{}; spur_run_next(run, &event, nullptr) == SPUR_OK;)
        for (spur_value value{}; spur_run_value(run, &event, &value);) read += value.kind == SPUR_KIND_SCALAR;
    spur_run_close(run);
    if (read != 10) return 1;
    std::printf("spur %s: 10 points\n", spur_version());
    return 0;
}
