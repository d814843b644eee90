#include "CLeatKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// --- which instructions this machine has ---

static int level = -1;

static int machine_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) return 2;
    if (__builtin_cpu_supports("sse4.2")) return 1;
#endif
    return 0;
}

int leat_kernel_level(void) {
    // Threads may race here; all of them write the same value.
    int known = __atomic_load_n(&level, __ATOMIC_RELAXED);
    if (known < 0) {
        known = machine_level();
        __atomic_store_n(&level, known, __ATOMIC_RELAXED);
    }
    return known;
}

int leat_kernel_level_set(int wanted) {
    int before = leat_kernel_level();
    int most = machine_level();
    __atomic_store_n(&level, wanted < most ? wanted : most, __ATOMIC_RELAXED);
    return before;
}

// --- substring: compare the first and the last byte of the needle at many places at once ---

static size_t find_bytes_16(const uint8_t *bytes, size_t start, size_t count, const uint8_t *needle, size_t length) {
    uint8_t first = needle[0], last = needle[length - 1];
    size_t ends = count - length + 1;
    for (; start + 16 <= ends; start += 16) {
        uint32_t mask = leat_equal16(leat_load16(bytes + start), first) &
                        leat_equal16(leat_load16(bytes + start + length - 1), last);
        for (; mask; mask &= mask - 1) {
            size_t at = start + (size_t)__builtin_ctz(mask);
            if (leat_equal_bytes(bytes + at + 1, needle + 1, length - 1)) return at;
        }
    }
    if (start < ends) {
        size_t left = ends - start;
        uint32_t mask = leat_equal16(leat_load_tail16(bytes + start, left), first) &
                        leat_equal16(leat_load_tail16(bytes + start + length - 1, left), last) & leat_low_bits(left);
        for (; mask; mask &= mask - 1) {
            size_t at = start + (size_t)__builtin_ctz(mask);
            if (leat_equal_bytes(bytes + at + 1, needle + 1, length - 1)) return at;
        }
    }
    return count;
}

static size_t find_folded_16(const uint8_t *bytes, size_t start, size_t count, const uint8_t *needle, size_t length) {
    uint8_t first = needle[0], last = needle[length - 1];
    size_t ends = count - length + 1;
    while (start < ends) {
        size_t left = ends - start;
        uint32_t mask;
        if (left >= 16) {
            mask = leat_equal16(leat_fold16(leat_load16(bytes + start)), first) &
                   leat_equal16(leat_fold16(leat_load16(bytes + start + length - 1)), last);
        } else {
            mask = leat_equal16(leat_fold16(leat_load_tail16(bytes + start, left)), first) &
                   leat_equal16(leat_fold16(leat_load_tail16(bytes + start + length - 1, left)), last) &
                   leat_low_bits(left);
        }
        for (; mask; mask &= mask - 1) {
            size_t at = start + (size_t)__builtin_ctz(mask);
            if (leat_equal_folded(bytes + at, needle, length)) return at;
        }
        start += 16;
    }
    return count;
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi"))) static size_t find_bytes_avx2(const uint8_t *bytes, size_t start, size_t count,
                                                                  const uint8_t *needle, size_t length) {
    __m256i first = _mm256_set1_epi8((char)needle[0]), last = _mm256_set1_epi8((char)needle[length - 1]);
    size_t ends = count - length + 1;
    for (; start + 64 <= ends; start += 64) {
        const uint8_t *head = bytes + start, *tail = head + length - 1;
        __m256i low = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)head), first),
                                       _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)tail), last));
        __m256i high = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(head + 32)), first),
                                        _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(tail + 32)), last));
        if (_mm256_testz_si256(_mm256_or_si256(low, high), _mm256_or_si256(low, high))) continue;
        uint64_t mask = (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
        for (; mask; mask &= mask - 1) {
            size_t at = start + (size_t)__builtin_ctzll(mask);
            if (leat_equal_bytes(bytes + at + 1, needle + 1, length - 1)) return at;
        }
    }
    return find_bytes_16(bytes, start, count, needle, length);
}

__attribute__((target("avx2,bmi"))) static __m256i fold32(__m256i block) {
    __m256i shifted = _mm256_add_epi8(block, _mm256_set1_epi8((char)(0x80 - 'A')));
    __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(0x80 + 26)), shifted);
    return _mm256_or_si256(block, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

__attribute__((target("avx2,bmi"))) static size_t find_folded_avx2(const uint8_t *bytes, size_t start, size_t count,
                                                                   const uint8_t *needle, size_t length) {
    __m256i first = _mm256_set1_epi8((char)needle[0]), last = _mm256_set1_epi8((char)needle[length - 1]);
    size_t ends = count - length + 1;
    for (; start + 32 <= ends; start += 32) {
        const uint8_t *head = bytes + start, *tail = head + length - 1;
        __m256i begins = _mm256_cmpeq_epi8(fold32(_mm256_loadu_si256((const __m256i *)head)), first);
        __m256i finish = _mm256_cmpeq_epi8(fold32(_mm256_loadu_si256((const __m256i *)tail)), last);
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(begins, finish));
        for (; mask; mask &= mask - 1) {
            size_t at = start + (size_t)__builtin_ctz(mask);
            if (leat_equal_folded(bytes + at, needle, length)) return at;
        }
    }
    return start < ends ? find_folded_16(bytes, start, count, needle, length) : count;
}

__attribute__((target("avx2"))) static size_t count_byte_avx2(const uint8_t *bytes, size_t count, uint8_t byte) {
    __m256i wanted = _mm256_set1_epi8((char)byte), total = _mm256_setzero_si256();
    size_t start = 0;
    while (start + 32 <= count) {
        // A lane counts to 255 at most before it is added up.
        __m256i lanes = _mm256_setzero_si256();
        for (int step = 0; step < 255 && start + 32 <= count; step++, start += 32) {
            __m256i block = _mm256_loadu_si256((const __m256i *)(bytes + start));
            lanes = _mm256_sub_epi8(lanes, _mm256_cmpeq_epi8(block, wanted));
        }
        total = _mm256_add_epi64(total, _mm256_sad_epu8(lanes, _mm256_setzero_si256()));
    }
    uint64_t parts[4];
    _mm256_storeu_si256((__m256i *)parts, total);
    size_t result = (size_t)(parts[0] + parts[1] + parts[2] + parts[3]);
    for (; start < count; start++) result += bytes[start] == byte;
    return result;
}
#endif

size_t leat_find_bytes(const void *memory, size_t start, size_t count, const void *needle, size_t needle_count) {
    if (start > count || needle_count > count - start) return count;
    if (needle_count == 1) return leat_find_byte(memory, start, count, *(const uint8_t *)needle);
#if defined(__x86_64__)
    if (count - start >= 128 && leat_kernel_level() >= 2) {
        return find_bytes_avx2((const uint8_t *)memory, start, count, (const uint8_t *)needle, needle_count);
    }
#endif
    return find_bytes_16((const uint8_t *)memory, start, count, (const uint8_t *)needle, needle_count);
}

size_t leat_find_folded(const void *memory, size_t start, size_t count, const void *needle, size_t needle_count) {
    if (start > count || needle_count > count - start) return count;
#if defined(__x86_64__)
    if (count - start >= 64 && leat_kernel_level() >= 2) {
        return find_folded_avx2((const uint8_t *)memory, start, count, (const uint8_t *)needle, needle_count);
    }
#endif
    return find_folded_16((const uint8_t *)memory, start, count, (const uint8_t *)needle, needle_count);
}

size_t leat_count_byte(const void *memory, size_t count, uint8_t byte) {
    const uint8_t *bytes = (const uint8_t *)memory;
#if defined(__x86_64__)
    if (leat_kernel_level() >= 2) return count_byte_avx2(bytes, count, byte);
#endif
    size_t result = 0, start = 0;
    for (; start + 64 <= count; start += 64) result += (size_t)__builtin_popcountll(leat_equal64(bytes + start, byte));
    for (; start < count; start++) result += bytes[start] == byte;
    return result;
}

// --- UTF-8 ---

/// Length of the well-formed sequence at `bytes`, 0 if there is none; `bytes[0]` >= 0x80.
static size_t utf8_sequence(const uint8_t *bytes, size_t count) {
    uint8_t lead = bytes[0];
    if (lead < 0xC2 || lead > 0xF4) return 0;
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (count < length) return 0;
    // The second byte has a narrower range after these leads: overlong forms, surrogates, beyond U+10FFFF.
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    }
    return length;
}

size_t leat_utf8_end(const void *memory, size_t count) {
    const uint8_t *bytes = (const uint8_t *)memory;
    size_t at = 0;
    while (at < count) {
        if (bytes[at] < 0x80) {
            while (at + 64 <= count && leat_ascii64(bytes + at)) at += 64;
            if (at + 16 <= count) {
                uint32_t high = leat_high16(leat_load16(bytes + at));
                at += high ? (size_t)__builtin_ctz(high) : 16;
            } else if (at < count && bytes[at] < 0x80) {
                at++;
            }
        } else {
            size_t length = utf8_sequence(bytes + at, count - at);
            if (length == 0) return at;
            at += length;
        }
    }
    return count;
}

int leat_is_ascii(const void *memory, size_t count) {
    const uint8_t *bytes = (const uint8_t *)memory;
    size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        if (!leat_ascii64(bytes + at)) return 0;
    }
    for (; at < count; at++) {
        if (bytes[at] >= 0x80) return 0;
    }
    return 1;
}

// --- CRC-32C ---

static uint32_t crc_table[8][256];
static int crc_table_ready;

static void make_crc_table(void) {
    // Threads may race here; all of them write the same values, and the flag is set last.
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        __atomic_store_n(&crc_table[0][byte], crc, __ATOMIC_RELAXED);
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = crc_table[0][byte];
        for (int slice = 1; slice < 8; slice++) {
            crc = crc >> 8 ^ crc_table[0][crc & 0xFF];
            __atomic_store_n(&crc_table[slice][byte], crc, __ATOMIC_RELAXED);
        }
    }
    __atomic_store_n(&crc_table_ready, 1, __ATOMIC_RELEASE);
}

uint32_t leat_crc32c_portable(uint32_t crc, const void *memory, size_t count) {
    if (!__atomic_load_n(&crc_table_ready, __ATOMIC_ACQUIRE)) make_crc_table();
    const uint8_t *bytes = (const uint8_t *)memory;
    crc = ~crc;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                              (uint32_t)bytes[3] << 24);
        crc = crc_table[7][low & 0xFF] ^ crc_table[6][low >> 8 & 0xFF] ^ crc_table[5][low >> 16 & 0xFF] ^
              crc_table[4][low >> 24] ^ crc_table[3][bytes[4]] ^ crc_table[2][bytes[5]] ^ crc_table[1][bytes[6]] ^
              crc_table[0][bytes[7]];
    }
    for (; count > 0; count--, bytes++) crc = crc >> 8 ^ crc_table[0][(crc ^ *bytes) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = ~crc;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t rest = (uint32_t)state;
    for (; count > 0; count--, bytes++) rest = _mm_crc32_u8(rest, *bytes);
    return ~rest;
}
#endif

uint32_t leat_crc32c(uint32_t crc, const void *memory, size_t count) {
#if defined(__x86_64__)
    if (leat_kernel_level() >= 1) return crc32c_sse42(crc, (const uint8_t *)memory, count);
#endif
    return leat_crc32c_portable(crc, memory, count);
}
