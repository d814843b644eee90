// Mapped files whose read errors are survived.
//
// Touching a mapped page that cannot be read raises SIGBUS in the thread that touched it. The handler looks the
// address up in a table of our mappings, puts a page of zeros in its place, and marks the mapping; the reader goes
// on, and finds the damage by checksum or by asking. A SIGBUS anywhere else is passed to whoever had it before us.
// Source of the idea: libwayland's `wl_shm_buffer_begin_access`.
#define _GNU_SOURCE
#include "CLeatPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { slot_count = 32768 };

// `length` is 0 in a free slot. It is set last and cleared first, so that the handler, which takes no lock, never
// sees a start that belongs to another mapping.
struct slot {
    _Atomic(uintptr_t) start;
    _Atomic(size_t) length;
    _Atomic(int) damaged;
};

static struct slot slots[slot_count];
static _Atomic(int32_t) slots_used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int32_t free_slots[slot_count];
static int32_t free_count;
static struct sigaction previous;
static int installed;
static uintptr_t page_size;

static int mend(uintptr_t address) {
    int32_t used = atomic_load_explicit(&slots_used, memory_order_acquire);
    for (int32_t index = 0; index < used; index++) {
        size_t length = atomic_load_explicit(&slots[index].length, memory_order_acquire);
        if (length == 0) continue;
        uintptr_t start = atomic_load_explicit(&slots[index].start, memory_order_relaxed);
        if (address < start || address - start >= length) continue;
        atomic_store_explicit(&slots[index].damaged, 1, memory_order_release);
        void *page = (void *)(address & ~(page_size - 1));
        void *zeros = mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        return zeros == page;
    }
    return 0;
}

static void handle(int signal_number, siginfo_t *info, void *context) {
    int saved = errno;
    int mended = mend((uintptr_t)info->si_addr);
    errno = saved;
    if (mended) return;
    if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction) {
        previous.sa_sigaction(signal_number, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal_number);
    } else {
        // The access is repeated on return, and now ends the process as it would have without us.
        signal(SIGBUS, SIG_DFL);
    }
}

static int install(void) {
    if (installed) return 0;
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, &previous) < 0) return -errno;
    installed = 1;
    return 0;
}

int leat_map(int descriptor, size_t count, const void **start, int32_t *slot) {
    pthread_mutex_lock(&lock);
    int failure = install();
    int32_t used = atomic_load(&slots_used);
    int32_t index = -1;
    if (failure == 0) {
        if (free_count > 0) index = free_slots[--free_count];
        else if (used < slot_count) index = used;
        else failure = -ENOSPC;
    }
    void *memory = MAP_FAILED;
    if (failure == 0) {
        memory = mmap(NULL, count, PROT_READ, MAP_SHARED, descriptor, 0);
        if (memory == MAP_FAILED) {
            failure = -errno;
            if (index != used) free_slots[free_count++] = index;
        }
    }
    if (failure == 0) {
        size_t rounded = (count + page_size - 1) & ~(page_size - 1);
        atomic_store(&slots[index].start, (uintptr_t)memory);
        atomic_store(&slots[index].damaged, 0);
        atomic_store(&slots[index].length, rounded);
        if (index == used) atomic_store(&slots_used, used + 1);
        *start = memory;
        *slot = index;
    }
    pthread_mutex_unlock(&lock);
    return failure;
}

int leat_map_is_damaged(int32_t slot) {
    return atomic_load_explicit(&slots[slot].damaged, memory_order_acquire);
}

void leat_unmap(const void *start, size_t count, int32_t slot) {
    pthread_mutex_lock(&lock);
    atomic_store(&slots[slot].length, 0);
    munmap((void *)start, count);
    free_slots[free_count++] = slot;
    pthread_mutex_unlock(&lock);
}

int leat_map_advise(const void *start, size_t count, int advice) {
    static const int kinds[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED};
    if (advice < 0 || advice > 4) return -EINVAL;
    return madvise((void *)start, count, kinds[advice]) < 0 ? -errno : 0;
}
