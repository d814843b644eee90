// Makes the N-th call of one system function fail, or kills the process there; loaded with LD_PRELOAD by FaultTests.
//
//     LEAT_FAULT=fdatasync:7:kill      the 7th call never returns: SIGKILL
//     LEAT_FAULT=write:12:28           the 12th and every later call fails with errno 28 (ENOSPC)
//     LEAT_FAULT=fdatasync:3:5:1       one call fails with errno 5 (EIO), the next succeeds
//
// `write` stands for write, pwrite, writev and pwritev of regular files; `rename` for all forms of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char name[32];
static long first, code, times;
static atomic_long calls;

__attribute__((constructor)) static void read_environment(void) {
    const char *text = getenv("LEAT_FAULT");
    char action[32] = "";
    times = -1;
    if (!text || sscanf(text, "%31[^:]:%ld:%31[^:]:%ld", name, &first, action, &times) < 3) first = 0;
    code = strcmp(action, "kill") == 0 ? 0 : atol(action);
}

// Whether this call is to fail; does not return when the process is to die here.
static int fails(const char *called) {
    if (first == 0 || strcmp(called, name) != 0) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (number < first || (times >= 0 && number >= first + times)) return 0;
    if (code == 0) kill(getpid(), SIGKILL);
    errno = (int)code;
    return 1;
}

static int is_file(int descriptor) {
    int before = errno;
    struct stat status;
    int answer = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    errno = before;
    return answer;
}

#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

int fdatasync(int descriptor) { return fails("fdatasync") ? -1 : NEXT(fdatasync)(descriptor); }
int fsync(int descriptor) { return fails("fdatasync") ? -1 : NEXT(fsync)(descriptor); }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(write)(descriptor, bytes, count);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(pwrite)(descriptor, bytes, count, at);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t at) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(pwrite)(descriptor, bytes, count, at);
}
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(writev)(descriptor, parts, count);
}
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(pwritev)(descriptor, parts, count, at);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off_t at) {
    return is_file(descriptor) && fails("write") ? -1 : NEXT(pwritev)(descriptor, parts, count, at);
}

int rename(const char *source, const char *target) { return fails("rename") ? -1 : NEXT(rename)(source, target); }
int renameat(int from, const char *source, int to, const char *target) {
    return fails("rename") ? -1 : NEXT(renameat)(from, source, to, target);
}
int link(const char *source, const char *target) { return fails("rename") ? -1 : NEXT(link)(source, target); }
