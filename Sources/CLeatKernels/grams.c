#include "leat_grams.h"

#include <stdlib.h>
#include <string.h>

// --- hashing ---

static inline uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// Key of a piece of up to eight bytes; `tag` keeps kinds apart.
static inline uint64_t key_of(uint64_t piece, uint64_t tag) {
    return mix(piece ^ (tag << 56) ^ 0xA0761D6478BD642Full, 0xE7037ED1A0B428DBull) | 1;
}

/// Order among pieces; not to be used as a filter hash, since the smallest are chosen by it.
static inline uint32_t order_of(uint64_t piece) { return (uint32_t)((piece * 0x9E3779B97F4A7C15ull) >> 32); }

static uint64_t key_of_run(const uint8_t *bytes, size_t count) {
    uint64_t state = count ^ 0x8EBC6AF09C88C6E3ull;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        state = mix(state ^ word, 0xE7037ED1A0B428DBull);
    }
    uint64_t word = 0;
    memcpy(&word, bytes + i, count - i);
    return mix(state ^ word, 0x589965CC75374CC3ull) | 1;
}

// --- classes of bytes ---

enum { DIGIT = 1, RUN = 2 };

/// Shortest identifier; also the stretch that always has a key of its parts: GRAM + WINDOW - 1.
enum { FREE_GRAM = 5, GRAM = 6, WINDOW = 11, RUN_MIN = 16, UUID_LENGTH = 36 };

static inline uint8_t fold(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static inline int is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/// Bytes of identifiers: hexadecimal digits, and the dashes of UUIDs.
static inline int is_run(uint8_t byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || byte == '-'; }

// --- the set ---

struct leat_key_set {
    uint64_t *slots;
    size_t capacity;
    size_t count;
    size_t limit;
    int is_full;
    uint64_t lengths;
    uint64_t open_lengths;
    uint8_t *folded;
    size_t folded_capacity;
};

leat_key_set *leat_key_set_create(size_t limit) {
    leat_key_set *set = calloc(1, sizeof *set);
    if (!set) return NULL;
    set->capacity = 1024;
    set->limit = limit;
    set->slots = calloc(set->capacity, sizeof *set->slots);
    if (!set->slots) {
        free(set);
        return NULL;
    }
    return set;
}

void leat_key_set_free(leat_key_set *set) {
    if (!set) return;
    free(set->slots);
    free(set->folded);
    free(set);
}

size_t leat_key_set_count(const leat_key_set *set) { return set->count; }
int leat_key_set_is_full(const leat_key_set *set) { return set->is_full; }
uint64_t leat_key_set_lengths(const leat_key_set *set) { return set->lengths; }
uint64_t leat_key_set_open_lengths(const leat_key_set *set) { return set->open_lengths; }

void leat_key_set_keys(const leat_key_set *set, uint64_t *out) {
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i]) *out++ = set->slots[i];
}

static void grow(leat_key_set *set) {
    size_t capacity = set->capacity * 4;
    uint64_t *slots = set->count < set->limit ? calloc(capacity, sizeof *slots) : NULL;
    if (!slots) {
        set->is_full = 1;
        return;
    }
    for (size_t i = 0; i < set->capacity; i++) {
        uint64_t key = set->slots[i];
        if (!key) continue;
        size_t slot = key >> 20 & (capacity - 1);
        while (slots[slot]) slot = (slot + 1) & (capacity - 1);
        slots[slot] = key;
    }
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
}

static inline void insert(leat_key_set *set, uint64_t key) {
    size_t slot = key >> 20 & (set->capacity - 1);
    while (set->slots[slot]) {
        if (set->slots[slot] == key) return;
        slot = (slot + 1) & (set->capacity - 1);
    }
    if (set->is_full) return;
    set->slots[slot] = key;
    if (++set->count * 2 > set->capacity) grow(set);
}

// --- pieces of a stretch without a free gram ---

static inline uint64_t piece_at(const uint8_t *text, size_t at) {
    uint64_t piece = 0;
    memcpy(&piece, text + at, GRAM);
    return piece;
}

/// Calls for the piece with the least order in every window of WINDOW pieces that lies wholly in [start, end).
#define WINNOW(text, start, end, EMIT)                                                     \
    do {                                                                                   \
        size_t piece_end = (end) - GRAM + 1, last = (size_t)-1;                            \
        for (size_t w = (start); w + WINDOW <= piece_end; w++) {                           \
            if (last != (size_t)-1 && last >= w) {                                         \
                if (order_of(piece_at(text, w + WINDOW - 1)) <= order_of(piece_at(text, last))) { \
                    last = w + WINDOW - 1;                                                 \
                    EMIT(key_of(piece_at(text, last), 6));                                 \
                }                                                                          \
                continue;                                                                  \
            }                                                                              \
            last = w;                                                                      \
            for (size_t p = w + 1; p < w + WINDOW; p++)                                    \
                if (order_of(piece_at(text, p)) <= order_of(piece_at(text, last))) last = p; \
            EMIT(key_of(piece_at(text, last), 6));                                         \
        }                                                                                  \
    } while (0)

static void add_dense(leat_key_set *set, const uint8_t *text, size_t start, size_t end, int winnows_runs) {
    // The stretch without the identifiers in it, which have keys of their own.
    size_t part = start, at = start;
    while (at < end) {
        if (!is_run(text[at])) {
            at++;
            continue;
        }
        size_t run = at;
        while (at < end && is_run(text[at])) at++;
        if (at - run < RUN_MIN || winnows_runs) continue;
        if (run >= part + RUN_MIN) {
#define EMIT_TO_SET(key) insert(set, key)
            WINNOW(text, part, run, EMIT_TO_SET);
        }
        part = at;
    }
    if (end >= part + RUN_MIN) WINNOW(text, part, end, EMIT_TO_SET);
}

// Whether a run can be the part of a UUID that begins at its byte `at`: dashes exactly where UUIDs have them.
static int fits_uuid_at(const uint8_t *run, size_t length, size_t at) {
    for (size_t i = 0; i < length; i++) {
        size_t place = at + i;
        int is_dash = place == 8 || place == 13 || place == 18 || place == 23;
        if ((run[i] == '-') != is_dash) return 0;
    }
    return 1;
}

// Whether a run can be a UUID or part of one.
static int fits_uuid(const uint8_t *run, size_t length) {
    for (size_t at = 0; at + length <= UUID_LENGTH; at++)
        if (fits_uuid_at(run, length, at)) return 1;
    return 0;
}

static void add_runs(leat_key_set *set, const uint8_t *text, size_t count, int winnows_runs) {
    size_t at = 0;
    while (at < count) {
        if (!is_run(text[at])) {
            at++;
            continue;
        }
        size_t run = at;
        while (at < count && is_run(text[at])) at++;
        size_t length = at - run;
        if (length < RUN_MIN) continue;
        uint64_t bit = 1ull << (length < 63 ? length : 63);
        if (length == UUID_LENGTH && fits_uuid(text + run, length)) bit = LEAT_UUID_BIT;
        set->lengths |= bit;
        if (!winnows_runs) set->open_lengths |= bit;
        insert(set, key_of_run(text + run, length));
        if (winnows_runs) WINNOW(text, run, at, EMIT_TO_SET);
    }
}

void leat_key_set_add(leat_key_set *set, const void *bytes, size_t count, int winnows_runs) {
    if (count < FREE_GRAM || set->is_full) return;
    if (set->folded_capacity < count + 8) {
        free(set->folded);
        set->folded_capacity = count * 2 + 64;
        set->folded = malloc(set->folded_capacity);
        if (!set->folded) {
            set->folded_capacity = 0;
            set->is_full = 1;
            return;
        }
    }
    uint8_t *text = set->folded;
    const uint8_t *source = bytes;
    for (size_t i = 0; i < count; i++) text[i] = fold(source[i]);
    size_t since = 0, dense = 0, run_length = 0, longest = 0;
    uint64_t gram = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = text[i];
        gram = (gram << 8 | byte) & 0xFFFFFFFFFFull;
        since = is_digit(byte) ? 0 : since + 1;
        run_length = is_run(byte) ? run_length + 1 : 0;
        if (run_length > longest) longest = run_length;
        if (since >= FREE_GRAM) {
            insert(set, key_of(gram, 5));
            // A stretch ends before the last byte of a free gram and begins behind its first.
            if (i >= dense + RUN_MIN) add_dense(set, text, dense, i, winnows_runs);
            dense = i + 2 - FREE_GRAM;
        }
    }
    if (count >= dense + RUN_MIN) add_dense(set, text, dense, count, winnows_runs);
    if (longest >= RUN_MIN) add_runs(set, text, count, winnows_runs);
}

// --- needles ---

typedef struct {
    uint64_t *keys;
    size_t count;
} key_list;

static void needle_dense(key_list *list, const uint8_t *text, size_t start, size_t end, size_t first, size_t last) {
    // Identifiers, and what may be part of one at the edges, have no keys of their parts.
    if (start < first) start = first;
    if (end > last) end = last;
    size_t part = start, at = start;
    while (at < end) {
        if (!is_run(text[at])) {
            at++;
            continue;
        }
        size_t run = at;
        while (at < end && is_run(text[at])) at++;
        if (at - run < RUN_MIN) continue;
#define EMIT_TO_LIST(key) list->keys[list->count++] = (key)
        if (run >= part + RUN_MIN) WINNOW(text, part, run, EMIT_TO_LIST);
        part = at;
    }
    if (end > part && end - part >= RUN_MIN) WINNOW(text, part, end, EMIT_TO_LIST);
}

void leat_needle_keys_find(
    const void *bytes, size_t count, int is_whole, uint64_t *keys, leat_needle_keys *out) {
    memset(out, 0, sizeof *out);
    uint8_t *text = malloc(count + 8);
    if (!text) return;
    const uint8_t *source = bytes;
    for (size_t i = 0; i < count; i++) text[i] = fold(source[i]);
    key_list found = {keys, 0}, *list = &found;
    // A run of identifier bytes at an edge may go on outside, unless the needle is a whole value.
    size_t first = 0, last = count;
    if (!is_whole) {
        while (first < count && is_run(text[first])) first++;
        while (last > first && is_run(text[last - 1])) last--;
    }
    size_t since = 0, dense = 0;
    uint64_t gram = 0;
    for (size_t i = 0; i < count; i++) {
        gram = (gram << 8 | text[i]) & 0xFFFFFFFFFFull;
        since = is_digit(text[i]) ? 0 : since + 1;
        if (since >= FREE_GRAM) {
            list->keys[list->count++] = key_of(gram, 5);
            if (i >= dense + RUN_MIN) needle_dense(list, text, dense, i, first, last);
            dense = i + 2 - FREE_GRAM;
        }
    }
    if (count >= dense + RUN_MIN) needle_dense(list, text, dense, count, first, last);
    for (size_t at = first; at < last;) {
        if (!is_run(text[at])) {
            at++;
            continue;
        }
        size_t run = at;
        while (at < last && is_run(text[at])) at++;
        if (at - run >= RUN_MIN) list->keys[list->count++] = key_of_run(text + run, at - run);
    }
    out->part_start = list->count;
    // Of two identifiers at the edges the longer one tells more.
    size_t edge = 0, edge_count = first;
    if (count - last > edge_count) {
        edge = last;
        edge_count = count - last;
    }
    if (!is_whole && edge_count >= RUN_MIN) {
        out->has_edge = 1;
        out->edge_count = edge_count;
        out->fits_uuid = fits_uuid(text + edge, edge_count);
        out->edge_key = key_of_run(text + edge, edge_count);
        WINNOW(text, edge, edge + edge_count, EMIT_TO_LIST);
        out->part_count = list->count - out->part_start;
    }
    free(text);
}
