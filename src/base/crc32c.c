/* SPDX-License-Identifier: MIT
 *
 * CRC-32C by slicing-by-8 tables (Kounavis & Berry 2005), and by the CPU's instruction on three
 * interleaved streams (Gopal et al., Intel 2011): the instruction has a latency of three cycles
 * and a throughput of one, so three independent chains keep it busy. The three parts are joined
 * by "shift by LANE zero bytes" tables.
 */
#include "base/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "base/cpu.h"

enum { LANE = 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t table[8][256];
static uint32_t shift_lane[4][256]; /* appends LANE zero bytes to a CRC, byte by byte of it */

static uint32_t shift_zeros(uint32_t crc, size_t n) {
    for (; n > 0; n--) crc = table[0][crc & 0xff] ^ crc >> 8;
    return crc;
}

static void make_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            table[k][i] = table[0][table[k - 1][i] & 0xff] ^ table[k - 1][i] >> 8;
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 0; k < 4; k++) shift_lane[k][i] = shift_zeros(i << (8 * k), LANE);
}

uint32_t spur__crc32c_portable(uint32_t crc, const void *data, size_t n) {
    const unsigned char *p = data;
    pthread_once(&once, make_tables);
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                              (uint32_t)p[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
              table[0][p[7]];
    }
    for (; n > 0; n--, p++) crc = table[0][(crc ^ *p) & 0xff] ^ crc >> 8;
    return ~crc;
}

#if defined(__x86_64__) && defined(__GNUC__)

static uint64_t load64(const unsigned char *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint32_t append_lane(uint32_t crc) {
    return shift_lane[0][crc & 0xff] ^ shift_lane[1][crc >> 8 & 0xff] ^
           shift_lane[2][crc >> 16 & 0xff] ^ shift_lane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t crc_instruction(uint32_t crc,
                                                                  const unsigned char *p,
                                                                  size_t n) {
    uint64_t a = ~crc;
    for (; n >= 3 * LANE; n -= 3 * LANE, p += 3 * LANE) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            a = __builtin_ia32_crc32di(a, load64(p + i));
            b = __builtin_ia32_crc32di(b, load64(p + LANE + i));
            c = __builtin_ia32_crc32di(c, load64(p + 2 * LANE + i));
        }
        a = append_lane(append_lane((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
    }
    for (; n >= 8; n -= 8, p += 8) a = __builtin_ia32_crc32di(a, load64(p));
    uint32_t last = (uint32_t)a;
    for (; n > 0; n--, p++) last = __builtin_ia32_crc32qi(last, *p);
    return ~last;
}

static int have_instruction;
static pthread_once_t probe_once = PTHREAD_ONCE_INIT;

static void probe(void) {
    pthread_once(&once, make_tables);
    __builtin_cpu_init();
    have_instruction = __builtin_cpu_supports("sse4.2") != 0;
}

uint32_t spur__crc32c(uint32_t crc, const void *data, size_t n) {
    pthread_once(&probe_once, probe);
    return have_instruction ? crc_instruction(crc, data, n) : spur__crc32c_portable(crc, data, n);
}

#else

uint32_t spur__crc32c(uint32_t crc, const void *data, size_t n) {
    return spur__crc32c_portable(crc, data, n);
}

#endif
