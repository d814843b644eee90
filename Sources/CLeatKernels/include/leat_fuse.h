// Fuse filters (Graf, Lemire: Binary Fuse Filters: Fast and Smaller Than Xor Filters, 2022): a value of six bits per
// slot, of which the four of a key come to its fingerprint. For seven bits a key they let one key in 64 pass that is not
// there, where a Bloom filter lets four to five in a hundred.
#ifndef LEAT_FUSE_H
#define LEAT_FUSE_H

#include <stddef.h>
#include <stdint.h>

/// Slots of a key, and bits per slot.
enum { LEAT_FUSE_PLACES = 4, LEAT_FUSE_BITS = 6 };

/// Where a key is in a filter of some slots.
typedef struct {
    uint32_t slots[LEAT_FUSE_PLACES];
    uint8_t fingerprint;
} leat_fuse_place;

/// The slots of a key; `slot_count` is a multiple of 64, at least `LEAT_FUSE_SLOTS_MIN`.
leat_fuse_place leat_fuse_find(uint64_t key, uint32_t seed, uint32_t slot_count);

/// Fewer slots make no filter.
#define LEAT_FUSE_SLOTS_MIN 1024

/// Finds the values of all slots, one a byte, for distinct keys; 0 when there are none for this seed, or no memory.
int leat_fuse_build(const uint64_t *keys, size_t count, uint32_t seed, uint32_t slot_count, uint8_t *values);

#endif
