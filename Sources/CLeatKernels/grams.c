#include "CLeatKernels.h"

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

enum { PENDING = 16, RECENT = 2048, RECENT_SHIFT = 53 };

struct leat_key_set {
    uint64_t *slots;
    size_t capacity;
    size_t count;
    size_t limit;
    int is_full;
    uint64_t lengths;
    uint64_t open_lengths;
    /// A text with its capital letters folded, and the classes of its bytes; both in words of 64 bytes.
    uint8_t *folded;
    uint64_t *masks;
    size_t word_capacity;
    /// Keys that wait until their slots are in the cache, a ring.
    uint64_t pending[PENDING];
    size_t pending_next;
    /// Free grams that were added lately, plus 1.
    uint64_t recent[RECENT];
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
    free(set->masks);
    free(set);
}

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

static void insert_now(leat_key_set *set, uint64_t key) {
    size_t slot = key >> 20 & (set->capacity - 1);
    while (set->slots[slot]) {
        if (set->slots[slot] == key) return;
        slot = (slot + 1) & (set->capacity - 1);
    }
    if (set->is_full) return;
    set->slots[slot] = key;
    if (++set->count * 2 > set->capacity) grow(set);
}

/// Adds a key, a little later: sets are larger than caches, and slots come while other keys are found.
static inline void insert(leat_key_set *set, uint64_t key) {
    uint64_t *place = &set->pending[set->pending_next++ & (PENDING - 1)];
    uint64_t due = *place;
    *place = key;
    __builtin_prefetch(&set->slots[key >> 20 & (set->capacity - 1)], 1);
    if (due) insert_now(set, due);
}

size_t leat_key_set_count(leat_key_set *set) {
    for (size_t i = 0; i < PENDING; i++) {
        if (set->pending[i]) insert_now(set, set->pending[i]);
        set->pending[i] = 0;
    }
    return set->count;
}

// --- pieces of a stretch without a free gram ---

static inline uint64_t piece_at(const uint8_t *text, size_t at) {
    uint64_t piece = 0;
    memcpy(&piece, text + at, GRAM);
    return piece;
}

/// Calls for the piece with the least order in every window of WINDOW pieces that lies wholly in [start, end).
#define WINNOW(text, start, end, EMIT)                                                \
    do {                                                                              \
        uint32_t orders[16];                                                          \
        size_t piece_end = (end) - GRAM + 1, last = (size_t)-1;                       \
        for (size_t p = (start); p < (start) + WINDOW - 1; p++)                       \
            orders[p & 15] = order_of(piece_at(text, p));                             \
        for (size_t w = (start); w + WINDOW <= piece_end; w++) {                      \
            size_t added = w + WINDOW - 1;                                            \
            uint32_t order = orders[added & 15] = order_of(piece_at(text, added));    \
            if (last != (size_t)-1 && last >= w) {                                    \
                if (order > orders[last & 15]) continue;                              \
                last = added;                                                         \
            } else {                                                                  \
                last = w;                                                             \
                for (size_t p = w + 1; p <= added; p++)                               \
                    if (orders[p & 15] <= orders[last & 15]) last = p;                \
            }                                                                         \
            EMIT(key_of(piece_at(text, last), 6));                                    \
        }                                                                             \
    } while (0)

/// A bit per byte of a text, in words, and one word more.
typedef struct {
    uint64_t *digits;
    uint64_t *runs;
    /// Where RUN_MIN bytes of identifiers begin.
    uint64_t *identifiers;
    size_t count;
    int has_identifiers;
} class_masks;

/// Folds a text, which is padded with zeros to whole words, in place, and finds the classes of its bytes.
static void classify(uint8_t *text, class_masks *masks) {
    for (size_t word = 0; word < masks->count; word++) {
        uint64_t digits = 0, runs = 0;
        uint8_t *bytes = text + word * 64;
#if defined(__SSE2__)
        for (size_t part = 0; part < 64; part += 16) {
            __m128i block = leat_fold16(_mm_loadu_si128((const __m128i *)(bytes + part)));
            _mm_storeu_si128((__m128i *)(bytes + part), block);
            __m128i digit = _mm_sub_epi8(block, _mm_set1_epi8('0'));
            digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
            __m128i letter = _mm_sub_epi8(block, _mm_set1_epi8('a'));
            letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
            __m128i run = _mm_or_si128(_mm_or_si128(digit, letter), _mm_cmpeq_epi8(block, _mm_set1_epi8('-')));
            digits |= (uint64_t)(uint32_t)_mm_movemask_epi8(digit) << part;
            runs |= (uint64_t)(uint32_t)_mm_movemask_epi8(run) << part;
        }
#else
        for (size_t at = 0; at < 64; at++) {
            bytes[at] = fold(bytes[at]);
            digits |= (uint64_t)(is_digit(bytes[at]) != 0) << at;
            runs |= (uint64_t)(is_run(bytes[at]) != 0) << at;
        }
#endif
        masks->digits[word] = digits;
        masks->runs[word] = runs;
    }
    // Nothing goes on behind the text.
    masks->digits[masks->count] = 0;
    masks->runs[masks->count] = 0;
}

/// Where RUN_MIN bytes of identifiers begin, in one word.
static inline uint64_t identifier_starts(const uint64_t *runs, size_t word) {
    uint64_t low = runs[word], high = runs[word + 1];
    for (int step = 1; step < RUN_MIN; step *= 2) {
        low &= low >> step | high << (64 - step);
        high &= high >> step;
    }
    return low;
}

static void find_identifiers(class_masks *masks) {
    uint64_t any = 0;
    for (size_t word = 0; word < masks->count; word++)
        any |= masks->identifiers[word] = identifier_starts(masks->runs, word);
    masks->has_identifiers = any != 0;
}

/// The first bit that is set at `at` or behind; `end` when there is none before.
static inline size_t next_set(const uint64_t *bits, size_t at, size_t end) {
    if (at >= end) return end;
    size_t word = at / 64;
    uint64_t left = bits[word] >> (at % 64) << (at % 64);
    while (!left) {
        if (++word * 64 >= end) return end;
        left = bits[word];
    }
    size_t found = word * 64 + (size_t)__builtin_ctzll(left);
    return found < end ? found : end;
}

/// The first bit that is not set at `at` or behind; `end` when there is none before.
static inline size_t next_clear(const uint64_t *bits, size_t at, size_t end) {
    if (at >= end) return end;
    size_t word = at / 64;
    uint64_t left = ~bits[word] >> (at % 64) << (at % 64);
    while (!left) {
        if (++word * 64 >= end) return end;
        left = ~bits[word];
    }
    size_t found = word * 64 + (size_t)__builtin_ctzll(left);
    return found < end ? found : end;
}

/// Where FREE_GRAM bytes without a digit begin, in one word.
static inline uint64_t free_starts(const uint64_t *digits, size_t word) {
    uint64_t low = digits[word], high = digits[word + 1], found = low;
    for (int step = 1; step < FREE_GRAM; step++) found |= low >> step | high << (64 - step);
    return ~found;
}

#define EMIT_TO_SET(key) insert(set, key)

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

static void add_identifier(leat_key_set *set, const uint8_t *text, size_t start, size_t end, int winnows_runs) {
    size_t length = end - start;
    uint64_t bit = 1ull << (length < 63 ? length : 63);
    if (length == UUID_LENGTH && fits_uuid(text + start, length)) bit = LEAT_UUID_BIT;
    set->lengths |= bit;
    if (!winnows_runs) set->open_lengths |= bit;
    insert(set, key_of_run(text + start, length));
    if (winnows_runs) WINNOW(text, start, end, EMIT_TO_SET);
}

static void add_identifiers(
    leat_key_set *set, const uint8_t *text, size_t count, const class_masks *masks, int winnows_runs) {
    size_t at = 0;
    while ((at = next_set(masks->identifiers, at, count)) < count) {
        size_t end = next_clear(masks->runs, at, count);
        add_identifier(set, text, at, end, winnows_runs);
        at = end;
    }
}

/// Adds the pieces of a stretch; with `skips` without the identifiers in it, which have keys of their own.
static void add_dense(
    leat_key_set *set, const uint8_t *text, size_t start, size_t end, const class_masks *masks, int skips) {
    size_t part = start;
    while (skips) {
        size_t run = next_set(masks->identifiers, part, end);
        if (run + RUN_MIN > end) break;
        if (run >= part + RUN_MIN) WINNOW(text, part, run, EMIT_TO_SET);
        part = next_clear(masks->runs, run, end);
    }
    if (end >= part + RUN_MIN) WINNOW(text, part, end, EMIT_TO_SET);
}

/// Adds a free gram; most were added a moment ago.
static inline void add_free_gram(leat_key_set *set, const uint8_t *text, size_t at) {
    uint64_t gram;
    memcpy(&gram, text + at, 8);
    gram = __builtin_bswap64(gram) >> 24;
    uint64_t *recent = &set->recent[(gram * 0x9E3779B97F4A7C15ull) >> RECENT_SHIFT];
    if (*recent == gram + 1) return;
    *recent = gram + 1;
    insert(set, key_of(gram, 5));
}

/// A folded copy of a text with its classes; 0 without memory.
static int prepare(leat_key_set *set, const void *bytes, size_t count, class_masks *masks) {
    size_t words = (count + 63) / 64;
    if (set->word_capacity < words) {
        size_t capacity = words * 2 + 4;
        free(set->folded);
        free(set->masks);
        set->folded = malloc(capacity * 64 + 64);
        set->masks = malloc((capacity + 1) * 3 * sizeof *set->masks);
        set->word_capacity = set->folded && set->masks ? capacity : 0;
        if (!set->word_capacity) return 0;
    }
    memcpy(set->folded, bytes, count);
    memset(set->folded + count, 0, words * 64 + 8 - count);
    size_t stride = set->word_capacity + 1;
    *masks = (class_masks){set->masks, set->masks + stride, set->masks + 2 * stride, words, 0};
    classify(set->folded, masks);
    find_identifiers(masks);
    return 1;
}

/// The masks and the copy of a text of up to 64 bytes, which needs none of the set's memory.
typedef struct {
    uint8_t folded[64 + 8];
    uint64_t digits[2], runs[2], identifiers[1];
} short_text;

static void prepare_short(short_text *text, const void *bytes, size_t count, class_masks *masks) {
    memset(text->folded, 0, sizeof text->folded);
    memcpy(text->folded, bytes, count);
    *masks = (class_masks){text->digits, text->runs, text->identifiers, 1, 0};
    classify(text->folded, masks);
    find_identifiers(masks);
}

void leat_key_set_add(leat_key_set *set, const void *bytes, size_t count, int winnows_runs) {
    if (count < FREE_GRAM || set->is_full) return;
    class_masks masks;
    short_text small;
    const uint8_t *text = small.folded;
    if (count <= 64) {
        prepare_short(&small, bytes, count, &masks);
    } else if (prepare(set, bytes, count, &masks)) {
        text = set->folded;
    } else {
        set->is_full = 1;
        return;
    }
    if (masks.has_identifiers) add_identifiers(set, text, count, &masks, winnows_runs);
    int skips = masks.has_identifiers && !winnows_runs;
    size_t dense = 0, grams = count - FREE_GRAM + 1;
    for (size_t word = 0; word * 64 < grams; word++) {
        uint64_t starts = free_starts(masks.digits, word);
        if (grams - word * 64 < 64) starts &= (1ull << (grams - word * 64)) - 1;
        while (starts) {
            size_t first = (size_t)__builtin_ctzll(starts), at = word * 64 + first;
            uint64_t behind = ~(starts >> first);
            size_t row = behind ? (size_t)__builtin_ctzll(behind) : 64;
            starts = first + row < 64 ? starts >> (first + row) << (first + row) : 0;
            // A stretch ends before the last byte of a free gram and begins behind its first.
            size_t end = at + FREE_GRAM - 1;
            if (end >= dense + RUN_MIN) add_dense(set, text, dense, end, &masks, skips);
            for (size_t gram = at; gram < at + row; gram++) add_free_gram(set, text, gram);
            dense = at + row;
        }
    }
    if (count >= dense + RUN_MIN) add_dense(set, text, dense, count, &masks, skips);
}

void leat_key_set_add_hexadecimal(leat_key_set *set, const void *area, size_t width, size_t count) {
    const uint8_t *text = area;
    if (width < RUN_MIN || width > 32 || set->is_full) {
        for (size_t i = 0; i < count; i++) leat_key_set_add(set, text + i * width, width, 0);
        return;
    }
    uint64_t bit = 1ull << width, starts_mask = (1ull << (width - FREE_GRAM + 1)) - 1;
    set->lengths |= bit;
    set->open_lengths |= bit;
    for (size_t i = 0; i < count && !set->is_full; i++, text += width) {
        insert(set, key_of_run(text, width));
        uint8_t folded[32 + 8] = {0};
        memcpy(folded, text, width);
        uint64_t digits = 0;
        for (size_t at = 0; at < width; at++) digits |= (uint64_t)(text[at] <= '9') << at;
        uint64_t starts = ~(digits | digits >> 1 | digits >> 2 | digits >> 3 | digits >> 4) & starts_mask;
        for (; starts; starts &= starts - 1) add_free_gram(set, folded, (size_t)__builtin_ctzll(starts));
    }
}

// --- texts that were split into templates ---

/// A stretch of the area that was added.
typedef struct {
    uint32_t hash;
    uint32_t start;
    uint32_t length;
} seen_stretch;

typedef struct {
    seen_stretch *slots;
    size_t capacity;
    size_t count;
} seen_set;

/// Stretches that are remembered at most; more repeat too seldom.
enum { SEEN_MAX = 1 << 19 };

static int seen_grow(seen_set *seen) {
    size_t capacity = seen->capacity ? seen->capacity * 4 : 1 << 12;
    seen_stretch *slots = calloc(capacity, sizeof *slots);
    if (!slots) return 0;
    for (size_t i = 0; i < seen->capacity; i++) {
        if (!seen->slots[i].length) continue;
        size_t slot = seen->slots[i].hash & (capacity - 1);
        while (slots[slot].length) slot = (slot + 1) & (capacity - 1);
        slots[slot] = seen->slots[i];
    }
    free(seen->slots);
    seen->slots = slots;
    seen->capacity = capacity;
    return 1;
}

/// Whether the same bytes were seen before; notes them.
static int was_seen(seen_set *seen, const uint8_t *area, uint32_t start, uint32_t length) {
    if (seen->count * 2 >= seen->capacity && (seen->count >= SEEN_MAX || !seen_grow(seen))) return 0;
    uint32_t hash = (uint32_t)(key_of_run(area + start, length) >> 16);
    size_t slot = hash & (seen->capacity - 1);
    while (seen->slots[slot].length) {
        const seen_stretch *other = &seen->slots[slot];
        if (other->hash == hash && other->length == length && !memcmp(area + other->start, area + start, length))
            return 1;
        slot = (slot + 1) & (seen->capacity - 1);
    }
    seen->slots[slot] = (seen_stretch){hash, start, length};
    seen->count++;
    return 0;
}

/// How often a chunk was looked up, and how often that paid; what hardly ever repeats is not looked up any more.
typedef struct {
    uint32_t tries;
    uint32_t hits;
} chunk_record;

void leat_key_set_add_split(leat_key_set *set, const leat_split_texts *texts) {
    const uint8_t *area = texts->area;
    size_t template_count = 0;
    for (size_t text = 0; text < texts->count; text++)
        if (texts->codes[text] > template_count) template_count = texts->codes[text];
    size_t chunk_count = template_count ? texts->chunk_starts[template_count] : 0;
    chunk_record *records = calloc(chunk_count + 1, sizeof *records);
    seen_set seen = {NULL, 0, 0};
    if (!records) {
        set->is_full = 1;
        return;
    }
    size_t span = 0;
    for (size_t text = 0; text < texts->count && !set->is_full; span += texts->span_counts[text], text++) {
        uint32_t begin = texts->offsets[text], finish = texts->offsets[text + 1];
        size_t code = texts->codes[text];
        if (code == 0) {
            leat_key_set_add(set, area + begin, finish - begin, 0);
            continue;
        }
        for (size_t index = texts->chunk_starts[code - 1]; index < texts->chunk_starts[code]; index++) {
            const leat_key_chunk *chunk = &texts->chunks[index];
            uint32_t start = chunk->left < 0 ? begin : texts->starts[span + chunk->first] - (uint32_t)chunk->left;
            uint32_t end = chunk->right < 0 ? finish : texts->ends[span + chunk->last] + (uint32_t)chunk->right;
            if (end - start < FREE_GRAM) continue;
            chunk_record *record = &records[index];
            if (record->tries < 512 || record->hits * 3 > record->tries) {
                record->tries++;
                if (was_seen(&seen, area, start, end - start)) {
                    record->hits++;
                    continue;
                }
            }
            leat_key_set_add(set, area + start, end - start, 0);
        }
    }
    free(seen.slots);
    free(records);
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
