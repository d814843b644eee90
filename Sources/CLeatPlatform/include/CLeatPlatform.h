// System calls and macros that the Glibc module does not show to Swift.
//
// Every function that can fail returns a negative error number (-errno), never errno itself, so that nothing
// between the call and the check can change it. Descriptors are always close-on-exec.
#ifndef CLEATPLATFORM_H
#define CLEATPLATFORM_H

#include <stddef.h>
#include <stdint.h>

// --- epoll ---

static const uint32_t LEAT_EPOLL_IN = 0x001;
static const uint32_t LEAT_EPOLL_OUT = 0x004;
static const uint32_t LEAT_EPOLL_ERR = 0x008;
static const uint32_t LEAT_EPOLL_HUP = 0x010;
static const uint32_t LEAT_EPOLL_RDHUP = 0x2000;
static const uint32_t LEAT_EPOLL_EDGE = 1u << 31;

/// One ready descriptor: what happened, and the token with which it was added.
struct leat_epoll_event {
    uint32_t events;
    uint64_t token;
};

int leat_epoll_create(void);
int leat_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int leat_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token);
int leat_epoll_remove(int epoll, int descriptor);
/// Waits up to `timeout_ms` (-1: for ever); fills at most `capacity` (<= 256) events and returns how many. An
/// interrupted wait returns 0.
int leat_epoll_wait(int epoll, struct leat_epoll_event *events, int capacity, int timeout_ms);

// --- eventfd, timerfd, signalfd: non-blocking ---

int leat_eventfd_create(void);
int leat_eventfd_signal(int descriptor);
/// Takes all pending signals; returns 1 if there were any, 0 if not.
int leat_eventfd_drain(int descriptor);

int leat_timerfd_create(void);
/// First after `after_ns` (0 disarms), then each `every_ns` (0: once); monotonic clock.
int leat_timerfd_set(int descriptor, uint64_t after_ns, uint64_t every_ns);
/// Number of expirations since the last call, 0 if none.
int64_t leat_timerfd_drain(int descriptor);

/// Blocks `signals` for the calling thread (call before other threads start) and delivers them to the descriptor.
int leat_signalfd_create(const int *signals, int count);
/// The number of one pending signal, 0 if there is none.
int leat_signalfd_read(int descriptor);
/// Lets `signals` be delivered again in the usual way, for a child process.
int leat_signals_unblock_all(void);

// --- inotify: non-blocking ---

static const uint32_t LEAT_IN_MODIFY = 0x00000002;
static const uint32_t LEAT_IN_ATTRIB = 0x00000004;
static const uint32_t LEAT_IN_CLOSE_WRITE = 0x00000008;
static const uint32_t LEAT_IN_MOVED_FROM = 0x00000040;
static const uint32_t LEAT_IN_MOVED_TO = 0x00000080;
static const uint32_t LEAT_IN_CREATE = 0x00000100;
static const uint32_t LEAT_IN_DELETE = 0x00000200;
static const uint32_t LEAT_IN_DELETE_SELF = 0x00000400;
static const uint32_t LEAT_IN_MOVE_SELF = 0x00000800;
static const uint32_t LEAT_IN_Q_OVERFLOW = 0x00004000;
static const uint32_t LEAT_IN_IGNORED = 0x00008000;
static const uint32_t LEAT_IN_ONLYDIR = 0x01000000;
static const uint32_t LEAT_IN_DONT_FOLLOW = 0x02000000;
static const uint32_t LEAT_IN_EXCL_UNLINK = 0x04000000;
static const uint32_t LEAT_IN_MASK_ADD = 0x20000000;
static const uint32_t LEAT_IN_ISDIR = 0x40000000;

/// One event of a buffer that was read from inotify; `name` points into that buffer, NULL when there is none.
struct leat_inotify_event {
    int32_t watch;
    uint32_t mask;
    uint32_t cookie;
    const char *name;
};

int leat_inotify_create(void);
/// The watch's number.
int leat_inotify_add(int inotify, const char *path, uint32_t mask);
int leat_inotify_remove(int inotify, int watch);
/// Reads as many events as fit; the number of bytes, 0 if there are none. At least 4096 bytes, 8-aligned.
int64_t leat_inotify_read(int inotify, void *buffer, size_t capacity);
/// Decodes the event at `offset` and returns the offset of the next, or 0 when no whole event is left.
size_t leat_inotify_next(const void *buffer, size_t count, size_t offset, struct leat_inotify_event *event);

// --- sockets and pipes ---

/// accept4: non-blocking; -EAGAIN when nobody waits. The peer's address is left out.
int leat_accept(int listener);
/// pipe2; `non_blocking` applies to both ends.
int leat_pipe(int ends[2], int non_blocking);
/// Sets or clears O_NONBLOCK.
int leat_set_non_blocking(int descriptor, int on);

// --- files ---

/// Reserves disk for a range without changing what is read; the size changes unless `keep_size`.
int leat_fallocate(int descriptor, uint64_t offset, uint64_t count, int keep_size);
/// Gives a range's disk back; it reads as zeros.
int leat_punch_hole(int descriptor, uint64_t offset, uint64_t count);
/// Writes all parts one after the other at `offset`, however often the system stops short.
/// `parts` and `counts` have `part_count` elements.
int leat_write_all(int descriptor, const void *const *parts, const size_t *counts, size_t part_count,
                   uint64_t offset);
/// An exclusive lock on the open file that ends with its last descriptor; -EWOULDBLOCK when another has it.
int leat_lock_file(int descriptor);
/// Bytes an ordinary user may still write, and size, of the disk that holds `path`.
int leat_disk_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes);
/// `f_type` of statfs, such as 0x01021994 for tmpfs; negative on error.
int64_t leat_file_system_type(const char *path);
/// When a file was made, since 1970; -ENODATA when the file system does not keep it.
int leat_birth_time(int descriptor, int64_t *nanoseconds);

// --- mapped files whose read errors do not kill the process ---

/// Maps `count` > 0 bytes for reading. When a page cannot be read (disk error, file cut short), a page of zeros
/// appears in its place and the mapping counts as damaged; the process lives on. -ENOSPC: too many mappings.
int leat_map(int descriptor, size_t count, const void **start, int32_t *slot);
/// Whether a page of the mapping could not be read.
int leat_map_is_damaged(int32_t slot);
void leat_unmap(const void *start, size_t count, int32_t slot);
/// madvise: 0 normal, 1 random, 2 sequential, 3 will need, 4 not needed.
int leat_map_advise(const void *start, size_t count, int advice);

// --- process ---

/// Fills the buffer from the kernel's generator.
int leat_random(void *buffer, size_t count);
/// At most this many malloc arenas; call before threads start.
void leat_malloc_arenas_max(int count);
/// Memory from which malloc uses mmap, so that freed large buffers go back at once.
void leat_malloc_mmap_threshold(int byte_count);
/// Gives free memory back to the system.
void leat_malloc_trim(void);
/// Keeps up to so many freed bytes for what is allocated next, instead of giving each block back to the system.
void leat_malloc_keep(int byte_count);
/// Bytes malloc has given out and not got back.
uint64_t leat_malloc_in_use(void);
/// Starts a thread with a stack of this size, which takes no signals but those that it causes itself, such as SIGBUS.
/// `*handle` is for leat_thread_join or leat_thread_detach, of which exactly one must be called.
int leat_thread_start(void (*body)(void *), void *argument, size_t stack_bytes, uint64_t *handle);
void leat_thread_join(uint64_t handle);
void leat_thread_detach(uint64_t handle);
int32_t leat_thread_id(void);
/// At most 15 bytes are kept.
void leat_thread_set_name(const char *name);
/// Logical processors this process may use, at least 1; honours affinity, not cgroups.
int leat_processor_count(void);
/// Columns and rows of a terminal.
int leat_terminal_size(int descriptor, int *columns, int *rows);

#endif
