// System calls and macros that the Glibc module does not show to Swift.
#ifndef CLEATPLATFORM_H
#define CLEATPLATFORM_H

#include <stddef.h>
#include <stdint.h>

#endif
