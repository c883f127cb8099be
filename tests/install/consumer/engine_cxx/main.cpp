/* SPDX-License-Identifier: MIT
 * Links the engine and the logger. */
#include <cstdio>

#include <spur/log.h>
#include <spur/nn.h>

int main() {
    spur_net_options options{};
    spur_net *net = spur_net_create(&options);
    spur_writer_close(nullptr, nullptr);
    std::printf("spur_net is %s\n", net ? "there" : "not there");
    spur_net_destroy(net);
}
