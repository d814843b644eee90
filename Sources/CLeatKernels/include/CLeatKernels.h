// Byte-scanning kernels that need SIMD compares. The short ones are `static inline`, so that they inline into
// Swift; those that run over whole blocks live in kernels.c and pick AVX2 at run time. Each kernel has a plain Swift
// twin in Tests/LeatCoreTests that must agree with it on random input.
//
// Conventions: `count` is the number of readable bytes at `bytes`; searches begin at `start` <= `count` and return
// a position counted from `bytes`, or `count` when there is none. Bytes beyond `count` may be loaded when they lie on
// the same page as a byte before it, but never influence a result.
#ifndef CLEATKERNELS_H
#define CLEATKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "leat_fuse.h"
#include "leat_grams.h"
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

typedef __m128i leat_block16;

static inline leat_block16 leat_load16(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

/// Bit i: byte i equals `byte`.
static inline uint32_t leat_equal16(leat_block16 block, uint8_t byte) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8((char)byte)));
}

/// Bit i: byte i is at least 0x80.
static inline uint32_t leat_high16(leat_block16 block) { return (uint32_t)_mm_movemask_epi8(block); }

/// Bit i: byte i is a quote, a backslash or below 0x20.
static inline uint32_t leat_json_special16(leat_block16 block) {
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
}

/// The block with A-Z turned into a-z.
static inline leat_block16 leat_fold16(leat_block16 block) {
    __m128i shifted = _mm_add_epi8(block, _mm_set1_epi8((char)(0x80 - 'A')));
    __m128i upper = _mm_cmplt_epi8(shifted, _mm_set1_epi8((char)(0x80 + 26)));
    return _mm_or_si128(block, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
}

static inline uint64_t leat_equal64(const uint8_t *bytes, uint8_t byte) {
    __m128i wanted = _mm_set1_epi8((char)byte);
    uint64_t a = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(leat_load16(bytes), wanted));
    uint64_t b = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(leat_load16(bytes + 16), wanted));
    uint64_t c = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(leat_load16(bytes + 32), wanted));
    uint64_t d = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(leat_load16(bytes + 48), wanted));
    return a | b << 16 | c << 32 | d << 48;
}

/// Whether the 64 bytes are all ASCII.
static inline int leat_ascii64(const uint8_t *bytes) {
    __m128i left = _mm_or_si128(leat_load16(bytes), leat_load16(bytes + 16));
    __m128i right = _mm_or_si128(leat_load16(bytes + 32), leat_load16(bytes + 48));
    return _mm_movemask_epi8(_mm_or_si128(left, right)) == 0;
}

#else  // No SSE2: the same in plain C, which compilers turn into what the machine has.

typedef struct { uint8_t lane[16]; } leat_block16;

static inline leat_block16 leat_load16(const uint8_t *bytes) {
    leat_block16 block;
    memcpy(block.lane, bytes, 16);
    return block;
}

static inline uint32_t leat_equal16(leat_block16 block, uint8_t byte) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(block.lane[i] == byte) << i;
    return mask;
}

static inline uint32_t leat_high16(leat_block16 block) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(block.lane[i] >> 7) << i;
    return mask;
}

static inline uint32_t leat_json_special16(leat_block16 block) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) {
        uint8_t byte = block.lane[i];
        mask |= (uint32_t)(byte == '"' || byte == '\\' || byte < 0x20) << i;
    }
    return mask;
}

static inline leat_block16 leat_fold16(leat_block16 block) {
    for (int i = 0; i < 16; i++) {
        uint8_t byte = block.lane[i];
        block.lane[i] = byte | (uint8_t)((byte >= 'A' && byte <= 'Z') << 5);
    }
    return block;
}

static inline uint64_t leat_equal64(const uint8_t *bytes, uint8_t byte) {
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) mask |= (uint64_t)leat_equal16(leat_load16(bytes + 16 * i), byte) << (16 * i);
    return mask;
}

static inline int leat_ascii64(const uint8_t *bytes) {
    uint8_t all = 0;
    for (int i = 0; i < 64; i++) all |= bytes[i];
    return all < 0x80;
}
#endif

/// Loads 16 bytes of which only the first `count` (1...15) count; the others are arbitrary.
static inline leat_block16 leat_load_tail16(const uint8_t *bytes, size_t count) {
    // A load that stays on the page of its first byte cannot fault.
    if (((uintptr_t)bytes & 4095) <= 4096 - 16) return leat_load16(bytes);
    uint8_t copy[16] = {0};
    memcpy(copy, bytes, count);
    return leat_load16(copy);
}

/// The lowest `count` (0...16) bits.
static inline uint32_t leat_low_bits(size_t count) { return (1u << count) - 1; }

/// Bit i: byte i of the next min(64, count) bytes equals `byte`; for splitting lines.
static inline uint64_t leat_equal_mask(const void *memory, size_t start, size_t count, uint8_t byte) {
    const uint8_t *bytes = (const uint8_t *)memory;
    if (start + 64 <= count) return leat_equal64(bytes + start, byte);
    uint64_t mask = 0;
    int shift = 0;
    while (start < count) {
        size_t left = count - start;
        if (left >= 16) {
            mask |= (uint64_t)leat_equal16(leat_load16(bytes + start), byte) << shift;
        } else {
            mask |= (uint64_t)(leat_equal16(leat_load_tail16(bytes + start, left), byte) & leat_low_bits(left)) << shift;
        }
        start += 16;
        shift += 16;
    }
    return mask;
}

/// The first `byte`.
static inline size_t leat_find_byte(const void *memory, size_t start, size_t count, uint8_t byte) {
    const uint8_t *bytes = (const uint8_t *)memory;
    // Most searches end soon: 16 bytes a step at first, 64 after that.
    for (int step = 0; step < 4 && start + 16 <= count; step++, start += 16) {
        uint32_t mask = leat_equal16(leat_load16(bytes + start), byte);
        if (mask) return start + (size_t)__builtin_ctz(mask);
    }
    for (; start + 64 <= count; start += 64) {
        uint64_t mask = leat_equal64(bytes + start, byte);
        if (mask) return start + (size_t)__builtin_ctzll(mask);
    }
    for (; start + 16 <= count; start += 16) {
        uint32_t mask = leat_equal16(leat_load16(bytes + start), byte);
        if (mask) return start + (size_t)__builtin_ctz(mask);
    }
    if (start < count) {
        uint32_t mask = leat_equal16(leat_load_tail16(bytes + start, count - start), byte);
        mask &= leat_low_bits(count - start);
        if (mask) return start + (size_t)__builtin_ctz(mask);
    }
    return count;
}

/// The first byte that is `one` or `other`.
static inline size_t leat_find_either(const void *memory, size_t start, size_t count, uint8_t one, uint8_t other) {
    const uint8_t *bytes = (const uint8_t *)memory;
    for (; start + 16 <= count; start += 16) {
        leat_block16 block = leat_load16(bytes + start);
        uint32_t mask = leat_equal16(block, one) | leat_equal16(block, other);
        if (mask) return start + (size_t)__builtin_ctz(mask);
    }
    if (start < count) {
        leat_block16 block = leat_load_tail16(bytes + start, count - start);
        uint32_t mask = (leat_equal16(block, one) | leat_equal16(block, other)) & leat_low_bits(count - start);
        if (mask) return start + (size_t)__builtin_ctz(mask);
    }
    return count;
}

/// The first byte that JSON text cannot hold as it is: a quote, a backslash, a control character below 0x20. Sets
/// `*high` to a value other than 0 when a byte before it is not ASCII, and leaves it alone otherwise.
static inline size_t leat_json_special(const void *memory, size_t start, size_t count, uint32_t *high) {
    const uint8_t *bytes = (const uint8_t *)memory;
    for (; start + 16 <= count; start += 16) {
        leat_block16 block = leat_load16(bytes + start);
        uint32_t mask = leat_json_special16(block);
        uint32_t above = leat_high16(block);
        if (mask) {
            *high |= above & (mask ^ (mask - 1));
            return start + (size_t)__builtin_ctz(mask);
        }
        *high |= above;
    }
    if (start < count) {
        leat_block16 block = leat_load_tail16(bytes + start, count - start);
        uint32_t valid = leat_low_bits(count - start);
        uint32_t mask = leat_json_special16(block) & valid;
        uint32_t above = leat_high16(block) & valid;
        if (mask) {
            *high |= above & (mask ^ (mask - 1));
            return start + (size_t)__builtin_ctz(mask);
        }
        *high |= above;
    }
    return count;
}

/// Writes `count` bytes as the inside of a JSON string and returns how many it wrote: at most six for each. `target` has
/// room for `6 * count + 16` bytes. Sets `*high` to a value other than 0 when a byte is not ASCII, and leaves it alone
/// otherwise.
static inline size_t leat_json_escape(void *target, const void *source, size_t count, uint32_t *high) {
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;
    size_t read = 0, written = 0;
    while (read < count) {
        size_t left = count - read < 16 ? count - read : 16;
        leat_block16 block = left == 16 ? leat_load16(from + read) : leat_load_tail16(from + read, left);
        uint32_t valid = leat_low_bits(left);
        uint32_t mask = leat_json_special16(block) & valid;
        *high |= leat_high16(block) & valid;
        memcpy(to + written, &block, 16);
        if (!mask) {
            read += left;
            written += left;
            continue;
        }
        size_t plain = (size_t)__builtin_ctz(mask);
        read += plain;
        written += plain;
        uint8_t byte = from[read++];
        to[written++] = '\\';
        switch (byte) {
        case '"':
        case '\\': to[written++] = byte; break;
        case '\b': to[written++] = 'b'; break;
        case '\t': to[written++] = 't'; break;
        case '\n': to[written++] = 'n'; break;
        case '\f': to[written++] = 'f'; break;
        case '\r': to[written++] = 'r'; break;
        default:
            memcpy(to + written, "u00", 3);
            to[written + 3] = (uint8_t)digits[byte >> 4];
            to[written + 4] = (uint8_t)digits[byte & 15];
            written += 5;
        }
    }
    return written;
}

/// Takes the escapes out of the inside of a JSON string that begins at `start`, until its closing quote, a `\u` escape,
/// or the end; returns that position, which is `count` when the text is cut short. `target` needs room for the bytes
/// from `start` to `count` and 16 more. `*written` says how much was written; `*breaks` becomes 1 at a `\n` or `\r`.
static inline size_t leat_json_unescape(
    void *target, const void *memory, size_t start, size_t count, size_t *written, uint32_t *breaks
) {
    uint8_t *to = (uint8_t *)target;
    const uint8_t *bytes = (const uint8_t *)memory;
    size_t at = start, out = 0;
    while (at < count) {
        size_t left = count - at < 16 ? count - at : 16;
        leat_block16 block = left == 16 ? leat_load16(bytes + at) : leat_load_tail16(bytes + at, left);
        memcpy(to + out, &block, 16);
        uint32_t mask = (leat_equal16(block, '"') | leat_equal16(block, '\\')) & leat_low_bits(left);
        if (!mask) {
            at += left;
            out += left;
            continue;
        }
        size_t plain = (size_t)__builtin_ctz(mask);
        at += plain;
        out += plain;
        if (bytes[at] == '"') break;
        if (at + 1 >= count) {
            at = count;
            break;
        }
        uint8_t byte = bytes[at + 1];
        if (byte == 'u') break;
        switch (byte) {
        case 'b': byte = '\b'; break;
        case 't': byte = '\t'; break;
        case 'n': byte = '\n'; *breaks = 1; break;
        case 'f': byte = '\f'; break;
        case 'r': byte = '\r'; *breaks = 1; break;
        default: break;
        }
        to[out++] = byte;
        at += 2;
    }
    *written = out;
    return at;
}

/// Copies `count` bytes; for up to 64 of them without a call.
static inline void leat_copy_bytes(void *target, const void *source, size_t count) {
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;
    if (count >= 16) {
        if (count > 64) {
            memcpy(to, from, count);
            return;
        }
        uint8_t last[16];
        memcpy(last, from + count - 16, 16);
        for (size_t i = 0; i + 16 < count; i += 16) memcpy(to + i, from + i, 16);
        memcpy(to + count - 16, last, 16);
    } else if (count >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + count - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + count - 8, &last, 8);
    } else if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + count - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + count - 4, &last, 4);
    } else if (count > 0) {
        uint8_t first = from[0], middle = from[count / 2], last = from[count - 1];
        to[0] = first;
        to[count / 2] = middle;
        to[count - 1] = last;
    }
}

/// Asks for the memory at an address, of which a byte will soon be read; any address may be given.
static inline void leat_prefetch(const void *address) { __builtin_prefetch(address); }

/// Writes `count` bytes as 2 * `count` lower-case hexadecimal digits.
static inline void leat_hex_digits(void *target, const void *source, size_t count) {
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;
    size_t i = 0;
#if defined(__SSE2__)
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, 8);
        __m128i bytes = _mm_cvtsi64_si128((long long)word);
        __m128i low_nibble = _mm_set1_epi8(15);
        __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), low_nibble);
        __m128i values = _mm_unpacklo_epi8(high, _mm_and_si128(bytes, low_nibble));
        __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(values, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
        __m128i digits = _mm_add_epi8(_mm_add_epi8(values, _mm_set1_epi8('0')), letters);
        _mm_storeu_si128((__m128i *)(to + 2 * i), digits);
    }
#endif
    for (; i < count; i++) {
        uint8_t high = from[i] >> 4, low = from[i] & 15;
        to[2 * i] = (uint8_t)(high + (high < 10 ? '0' : 'a' - 10));
        to[2 * i + 1] = (uint8_t)(low + (low < 10 ? '0' : 'a' - 10));
    }
}

/// Whether two areas of `count` bytes are equal; for short ones, without a call.
static inline int leat_equal_bytes(const void *left, const void *right, size_t count) {
    const uint8_t *a = (const uint8_t *)left;
    const uint8_t *b = (const uint8_t *)right;
    if (count >= 8) {
        if (count > 64) return memcmp(a, b, count) == 0;
        uint64_t x, y;
        for (size_t i = 0; i + 8 < count; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y) return 0;
        }
        memcpy(&x, a + count - 8, 8);
        memcpy(&y, b + count - 8, 8);
        return x == y;
    }
    if (count >= 4) {
        uint32_t x, y, z, w;
        memcpy(&x, a, 4);
        memcpy(&y, b, 4);
        memcpy(&z, a + count - 4, 4);
        memcpy(&w, b + count - 4, 4);
        return x == y && z == w;
    }
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i]) return 0;
    }
    return 1;
}

/// Whether two areas are equal when A-Z is turned into a-z in the left one; `folded` has no upper-case letters.
static inline int leat_equal_folded(const void *left, const void *folded, size_t count) {
    const uint8_t *a = (const uint8_t *)left;
    const uint8_t *b = (const uint8_t *)folded;
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = a[i];
        if ((byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte) != b[i]) return 0;
    }
    return 1;
}

// --- kernels.c: for whole blocks, chosen at run time ---

/// The first place where `needle` (at least one byte) begins.
size_t leat_find_bytes(const void *bytes, size_t start, size_t count, const void *needle, size_t needle_count);

/// The first place where `needle`, which has no upper-case ASCII letters, begins, A-Z counted as a-z.
size_t leat_find_folded(const void *bytes, size_t start, size_t count, const void *needle, size_t needle_count);

/// How many bytes equal `byte`.
size_t leat_count_byte(const void *bytes, size_t count, uint8_t byte);

/// The first byte that does not belong to well-formed UTF-8 (Unicode 15, table 3-7), or `count`.
size_t leat_utf8_end(const void *bytes, size_t count);

/// Whether every byte is below 0x80.
int leat_is_ascii(const void *bytes, size_t count);

/// Continues the CRC-32C (Castagnoli; RFC 3720 appendix B.4) of earlier bytes; begins with 0.
uint32_t leat_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same without the processor's instruction, for machines that lack it and for tests.
uint32_t leat_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

/// Which of the kernels below run: 0 portable, 1 SSE2 with SSE4.2's CRC, 2 AVX2 too.
int leat_kernel_level(void);

/// Sets the level for tests, at most what the machine has; returns the level before.
int leat_kernel_level_set(int level);

#endif
