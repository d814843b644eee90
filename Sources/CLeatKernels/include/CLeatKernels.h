// Byte-scanning kernels that need SIMD compares. Everything here is `static inline`, so that it
// inlines into Swift; each kernel has a plain Swift twin in Tests/LeatCoreTests that must agree
// with it on random input.
#ifndef CLEATKERNELS_H
#define CLEATKERNELS_H

#include <stddef.h>
#include <stdint.h>

#endif
