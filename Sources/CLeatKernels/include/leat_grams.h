// Keys of search filters: which short pieces of a text a filter remembers, so that a search for any substring can
// skip blocks. The rules, and why they are sound, are in docs/decisions/0004-search-filters.md.
#ifndef LEAT_GRAMS_H
#define LEAT_GRAMS_H

#include <stddef.h>
#include <stdint.h>

/// The distinct keys of a block while it is encoded.
typedef struct leat_key_set leat_key_set;

/// An empty set that holds at most `limit` keys; NULL without memory.
leat_key_set *leat_key_set_create(size_t limit);
void leat_key_set_free(leat_key_set *set);

/// Adds the keys of a text. `winnows_runs`: identifiers also get the keys of their parts, as is right for texts that
/// occur in many rows; otherwise their length is noted in the mask of open lengths.
void leat_key_set_add(leat_key_set *set, const void *text, size_t count, int winnows_runs);

/// A stretch of a text around some slots of its template: `left` bytes before the slot `first`, and `right` bytes behind
/// the slot `last`; -1 stands for all that the text has there.
typedef struct {
    uint32_t first;
    uint32_t last;
    int32_t left;
    int32_t right;
} leat_key_chunk;

/// Texts that were split into templates and what varies: text n is area[offsets[n]..<offsets[n + 1]], its template is
/// codes[n] (0: none, it is kept whole), and it has span_counts[n] slots, whose borders in the area follow one another
/// in starts and ends. The chunks of template t are chunks[chunk_starts[t - 1]..<chunk_starts[t]].
typedef struct {
    const void *area;
    const uint32_t *offsets;
    size_t count;
    const uint16_t *codes;
    const uint16_t *span_counts;
    const uint32_t *starts;
    const uint32_t *ends;
    const leat_key_chunk *chunks;
    const uint32_t *chunk_starts;
} leat_split_texts;

/// Adds the keys of the chunks of all texts, and those of texts that are kept whole; a chunk that repeats costs a look-up.
void leat_key_set_add_split(leat_key_set *set, const leat_split_texts *texts);

/// Adds the keys of `count` texts end to end, each of `width` lower-case hexadecimal digits: faster than one by one.
void leat_key_set_add_hexadecimal(leat_key_set *set, const void *area, size_t width, size_t count);

/// How many keys there are; to be asked before whether the set is full, and before its keys.
size_t leat_key_set_count(leat_key_set *set);

/// Whether there were more keys than allowed; then the set is of no use.
int leat_key_set_is_full(const leat_key_set *set);

/// Copies all keys to `out`, in no order.
void leat_key_set_keys(const leat_key_set *set, uint64_t *out);

/// The bit of identifiers in the form of UUIDs, 8-4-4-4-12 digits; no identifier has so few bytes.
#define LEAT_UUID_BIT (1ull << 8)

/// Lengths of identifiers: bit n for n bytes, bit 63 for 63 and more, `LEAT_UUID_BIT` instead for those in the form of
/// UUIDs; all, and those without keys for their parts.
uint64_t leat_key_set_lengths(const leat_key_set *set);
uint64_t leat_key_set_open_lengths(const leat_key_set *set);

/// What a needle asks of a filter.
typedef struct {
    /// An identifier that begins or ends with the needle, and so may be longer: 1 if there is one.
    int has_edge;
    /// Its length in bytes within the needle.
    size_t edge_count;
    /// Its key if it is not longer.
    uint64_t edge_key;
    /// Whether it can be a UUID or part of one.
    int fits_uuid;
    /// Where its part keys begin in `keys`, and how many there are.
    size_t part_start;
    size_t part_count;
    /// Keys before `part_start` must all be there.
} leat_needle_keys;

/// The keys of a needle; `keys` must have room for 3 * count + 8. `is_whole`: the needle is a whole value.
void leat_needle_keys_find(const void *needle, size_t count, int is_whole, uint64_t *keys, leat_needle_keys *out);

#endif
