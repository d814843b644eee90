#include "leat_fuse.h"

#include <stdlib.h>
#include <string.h>

/// Slots of one segment; the four slots of a key lie in four segments that follow one another. A power of two, about
/// half of slot_count to the power of 2/3.
static uint32_t segment_of(uint32_t slot_count) {
    uint64_t square = (uint64_t)slot_count * slot_count / 11;
    uint64_t length = 64;
    while (length * 2 <= slot_count / 8 && length * length * length * 8 <= square) length *= 2;
    return (uint32_t)length;
}

static inline uint64_t hash_of(uint64_t key, uint32_t seed) {
    uint64_t mixed = key + (uint64_t)seed * 0x9E3779B97F4A7C15ull;
    mixed = (mixed ^ mixed >> 33) * 0xFF51AFD7ED558CCDull;
    mixed = (mixed ^ mixed >> 33) * 0xC4CEB9FE1A85EC53ull;
    return mixed ^ mixed >> 33;
}

static inline void slots_of(uint64_t hash, uint32_t segment, uint32_t starts, uint32_t *slots) {
    uint32_t mask = segment - 1;
    uint32_t first = (uint32_t)((__uint128_t)hash * starts >> 64);
    slots[0] = first;
    slots[1] = (first + segment) ^ (uint32_t)(hash & mask);
    slots[2] = (first + 2 * segment) ^ (uint32_t)(hash >> 16 & mask);
    slots[3] = (first + 3 * segment) ^ (uint32_t)(hash >> 32 & mask);
}

static inline uint8_t fingerprint_of(uint64_t hash) { return (uint8_t)((hash ^ hash >> 26 ^ hash >> 51) & 63); }

/// Slots in which the first one of a key may be.
static inline uint32_t starts_of(uint32_t slot_count, uint32_t segment) {
    return slot_count / segment * segment - 3 * segment;
}

leat_fuse_place leat_fuse_find(uint64_t key, uint32_t seed, uint32_t slot_count) {
    uint32_t segment = segment_of(slot_count);
    uint64_t hash = hash_of(key, seed);
    leat_fuse_place place;
    slots_of(hash, segment, starts_of(slot_count, segment), place.slots);
    place.fingerprint = fingerprint_of(hash);
    return place;
}

/// What keys have a slot: how many, all of their hashes together, and all of their numbers of the slot together.
typedef struct {
    uint64_t hashes;
    uint32_t count;
    uint32_t places;
} slot_keys;

/// A key that was alone in one of its slots when all later ones were taken away.
typedef struct {
    uint64_t hash;
    uint32_t place;
} peeled_key;

static size_t peel(
    slot_keys *slots, uint32_t slot_count, uint32_t segment, uint32_t starts, uint32_t *alone, peeled_key *order) {
    size_t alone_count = 0, peeled = 0;
    for (uint32_t slot = 0; slot < slot_count; slot++)
        if (slots[slot].count == 1) alone[alone_count++] = slot;
    while (alone_count) {
        uint32_t slot = alone[--alone_count];
        if (slots[slot].count != 1) continue;
        uint64_t hash = slots[slot].hashes;
        uint32_t place = slots[slot].places, own[LEAT_FUSE_PLACES];
        slots_of(hash, segment, starts, own);
        order[peeled++] = (peeled_key){hash, place};
        for (uint32_t other = 0; other < LEAT_FUSE_PLACES; other++) {
            slot_keys *keys = &slots[own[other]];
            keys->hashes ^= hash;
            keys->places ^= other;
            if (--keys->count == 1) alone[alone_count++] = own[other];
        }
    }
    return peeled;
}

int leat_fuse_build(const uint64_t *keys, size_t count, uint32_t seed, uint32_t slot_count, uint8_t *values) {
    uint32_t segment = segment_of(slot_count), starts = starts_of(slot_count, segment);
    slot_keys *slots = calloc(slot_count, sizeof *slots);
    // Each slot becomes one of a single key at most once.
    uint32_t *alone = malloc((size_t)slot_count * sizeof *alone);
    peeled_key *order = malloc((count + 1) * sizeof *order);
    int is_done = 0;
    if (slots && alone && order) {
        for (size_t index = 0; index < count; index++) {
            uint64_t hash = hash_of(keys[index], seed);
            uint32_t own[LEAT_FUSE_PLACES];
            slots_of(hash, segment, starts, own);
            for (uint32_t place = 0; place < LEAT_FUSE_PLACES; place++) {
                slot_keys *at = &slots[own[place]];
                at->hashes ^= hash;
                at->places ^= place;
                at->count++;
            }
        }
        is_done = peel(slots, slot_count, segment, starts, alone, order) == count;
    }
    if (is_done) {
        memset(values, 0, slot_count);
        for (size_t index = count; index-- > 0;) {
            uint32_t own[LEAT_FUSE_PLACES];
            slots_of(order[index].hash, segment, starts, own);
            uint8_t value = fingerprint_of(order[index].hash);
            for (uint32_t place = 0; place < LEAT_FUSE_PLACES; place++)
                if (place != order[index].place) value ^= values[own[place]];
            values[own[order[index].place]] = value;
        }
    }
    free(slots);
    free(alone);
    free(order);
    return is_done;
}
