#define _GNU_SOURCE
#include "CLeatPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(EPOLLIN == 0x001 && EPOLLOUT == 0x004 && EPOLLERR == 0x008 && EPOLLHUP == 0x010, "epoll flags");
_Static_assert(EPOLLRDHUP == 0x2000 && EPOLLET == 1u << 31, "epoll flags");
_Static_assert(IN_MODIFY == 2 && IN_ATTRIB == 4 && IN_CLOSE_WRITE == 8 && IN_MOVED_FROM == 0x40, "inotify flags");
_Static_assert(IN_MOVED_TO == 0x80 && IN_CREATE == 0x100 && IN_DELETE == 0x200 && IN_DELETE_SELF == 0x400,
               "inotify flags");
_Static_assert(IN_MOVE_SELF == 0x800 && IN_Q_OVERFLOW == 0x4000 && IN_IGNORED == 0x8000, "inotify flags");
_Static_assert(IN_ONLYDIR == 0x01000000 && IN_DONT_FOLLOW == 0x02000000 && IN_EXCL_UNLINK == 0x04000000,
               "inotify flags");
_Static_assert(IN_MASK_ADD == 0x20000000 && IN_ISDIR == 0x40000000, "inotify flags");

static int outcome(int result) { return result < 0 ? -errno : result; }

// --- epoll ---

int leat_epoll_create(void) { return outcome(epoll_create1(EPOLL_CLOEXEC)); }

static int epoll_change(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return outcome(epoll_ctl(epoll, operation, descriptor, &event));
}

int leat_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int leat_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int leat_epoll_remove(int epoll, int descriptor) { return epoll_change(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int leat_epoll_wait(int epoll, struct leat_epoll_event *events, int capacity, int timeout_ms) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, capacity < 256 ? capacity : 256, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        events[index].events = ready[index].events;
        events[index].token = ready[index].data.u64;
    }
    return count;
}

// --- eventfd, timerfd, signalfd ---

int leat_eventfd_create(void) { return outcome(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int leat_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    // A full counter (EAGAIN) wakes the reader all the same.
    if (write(descriptor, &one, sizeof one) < 0 && errno != EAGAIN) return -errno;
    return 0;
}

int leat_eventfd_drain(int descriptor) {
    uint64_t count;
    if (read(descriptor, &count, sizeof count) == sizeof count) return 1;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int leat_timerfd_create(void) {
    return outcome(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static struct timespec duration(uint64_t nanoseconds) {
    struct timespec spec = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    return spec;
}

int leat_timerfd_set(int descriptor, uint64_t after_ns, uint64_t every_ns) {
    struct itimerspec spec = {.it_interval = duration(every_ns), .it_value = duration(after_ns)};
    return outcome(timerfd_settime(descriptor, 0, &spec, NULL));
}

int64_t leat_timerfd_drain(int descriptor) {
    uint64_t count;
    if (read(descriptor, &count, sizeof count) == sizeof count) return (int64_t)count;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int leat_signalfd_create(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int index = 0; index < count; index++) sigaddset(&set, signals[index]);
    int blocked = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (blocked != 0) return -blocked;
    return outcome(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int leat_signalfd_read(int descriptor) {
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) == sizeof info) return (int)info.ssi_signo;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int leat_signals_unblock_all(void) {
    sigset_t set;
    sigemptyset(&set);
    return -pthread_sigmask(SIG_SETMASK, &set, NULL);
}

// --- inotify ---

int leat_inotify_create(void) { return outcome(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int leat_inotify_add(int inotify, const char *path, uint32_t mask) {
    return outcome(inotify_add_watch(inotify, path, mask));
}

int leat_inotify_remove(int inotify, int watch) { return outcome(inotify_rm_watch(inotify, watch)); }

int64_t leat_inotify_read(int inotify, void *buffer, size_t capacity) {
    ssize_t count = read(inotify, buffer, capacity);
    if (count >= 0) return count;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

size_t leat_inotify_next(const void *buffer, size_t count, size_t offset, struct leat_inotify_event *event) {
    if (offset > count || count - offset < sizeof(struct inotify_event)) return 0;
    struct inotify_event raw;
    memcpy(&raw, (const char *)buffer + offset, sizeof raw);
    if (count - offset - sizeof raw < raw.len) return 0;
    event->watch = raw.wd;
    event->mask = raw.mask;
    event->cookie = raw.cookie;
    event->name = raw.len == 0 ? NULL : (const char *)buffer + offset + sizeof raw;
    return offset + sizeof raw + raw.len;
}

// --- sockets and pipes ---

int leat_accept(int listener) {
    return outcome(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int leat_pipe(int ends[2], int non_blocking) {
    return outcome(pipe2(ends, O_CLOEXEC | (non_blocking ? O_NONBLOCK : 0)));
}

int leat_set_non_blocking(int descriptor, int on) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    return outcome(fcntl(descriptor, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

// --- files ---

int leat_fallocate(int descriptor, uint64_t offset, uint64_t count, int keep_size) {
    return outcome(fallocate(descriptor, keep_size ? FALLOC_FL_KEEP_SIZE : 0, (off_t)offset, (off_t)count));
}

int leat_punch_hole(int descriptor, uint64_t offset, uint64_t count) {
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    return outcome(fallocate(descriptor, mode, (off_t)offset, (off_t)count));
}

int leat_write_all(int descriptor, const void *const *parts, const size_t *counts, size_t part_count,
                   uint64_t offset) {
    enum { vector_max = 64 };
    size_t part = 0, done = 0;
    while (part < part_count) {
        struct iovec vector[vector_max];
        int used = 0;
        for (size_t next = part; next < part_count && used < vector_max; next++, used++) {
            size_t skipped = next == part ? done : 0;
            vector[used].iov_base = (char *)parts[next] + skipped;
            vector[used].iov_len = counts[next] - skipped;
        }
        ssize_t written = pwritev(descriptor, vector, used, (off_t)offset);
        if (written < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        size_t left = (size_t)written;
        offset += left;
        while (part < part_count && left >= counts[part] - done) {
            left -= counts[part] - done;
            done = 0;
            part++;
        }
        done += left;
        // Nothing written although something was asked for: treat it as a full disk rather than loop for ever.
        if (written == 0 && part < part_count) return -ENOSPC;
    }
    return 0;
}

int leat_lock_file(int descriptor) { return outcome(flock(descriptor, LOCK_EX | LOCK_NB)); }

int leat_disk_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes) {
    struct statvfs disk;
    if (statvfs(path, &disk) < 0) return -errno;
    *free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    *total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    return 0;
}

int64_t leat_file_system_type(const char *path) {
    struct statfs disk;
    if (statfs(path, &disk) < 0) return -errno;
    return (int64_t)(uint32_t)disk.f_type;
}

int leat_birth_time(int descriptor, int64_t *nanoseconds) {
    struct statx found;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &found) < 0) return -errno;
    if (!(found.stx_mask & STATX_BTIME)) return -ENODATA;
    *nanoseconds = found.stx_btime.tv_sec * INT64_C(1000000000) + found.stx_btime.tv_nsec;
    return 0;
}

// --- process ---

int leat_random(void *buffer, size_t count) {
    char *next = buffer;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        next += got;
        count -= (size_t)got;
    }
    return 0;
}

void leat_malloc_arenas_max(int count) { mallopt(M_ARENA_MAX, count); }

void leat_malloc_mmap_threshold(int byte_count) { mallopt(M_MMAP_THRESHOLD, byte_count); }

void leat_malloc_keep(int byte_count) {
    // The largest threshold that glibc takes: larger blocks are mapped and unmapped one by one all the same.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, byte_count);
}

void leat_malloc_trim(void) { malloc_trim(0); }

uint64_t leat_malloc_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}

struct thread_start {
    void (*body)(void *);
    void *argument;
};

static void *run_thread(void *start) {
    struct thread_start copy = *(struct thread_start *)start;
    free(start);
    copy.body(copy.argument);
    return NULL;
}

int leat_thread_start(void (*body)(void *), void *argument, size_t stack_bytes, uint64_t *handle) {
    struct thread_start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    start->body = body;
    start->argument = argument;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    sigset_t all, before;
    sigfillset(&all);
    // These must reach the thread that caused them: SIGBUS for damaged mappings, the others for a report of a crash.
    static const int own[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t index = 0; index < sizeof own / sizeof *own; index++) sigdelset(&all, own[index]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int result = pthread_create(&thread, &attributes, run_thread, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (result != 0) free(start);
    else *handle = (uint64_t)thread;
    return -result;
}

void leat_thread_join(uint64_t handle) { pthread_join((pthread_t)handle, NULL); }

void leat_thread_detach(uint64_t handle) { pthread_detach((pthread_t)handle); }

int32_t leat_thread_id(void) { return (int32_t)gettid(); }

void leat_thread_set_name(const char *name) {
    char kept[16];
    strncpy(kept, name, sizeof kept - 1);
    kept[sizeof kept - 1] = 0;
    pthread_setname_np(pthread_self(), kept);
}

int leat_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

int leat_terminal_size(int descriptor, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) < 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}
