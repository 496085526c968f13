/* Makes the Nth call of a process fail, as SQLite's tests do; preloaded by tests/faults.py.

Counted are calls on files below one folder, on pipes and on standard output; and new processes,
threads and large pieces of memory. Environment variable FAULTS arms a process from its start, such
as a worker; the call that failed is then told in the file "said" of that folder. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READING = 1, WRITING = 2, STARTING = 4, MEMORY = 8, SHORT = 16 };

static int kinds;             /* that count; SHORT cuts every transfer instead of failing */
static long at, seen;         /* which call fails, and calls so far */
static int lasting;           /* whether those of its kind after it fail, too */
static int failed;            /* kind of the call that failed */
static size_t least;          /* bytes of memory that count */
static char root[4096], said[4096 + 64], report[4096 + 8]; /* file for what is said, or empty */

void faults_arm(const char *folder, int which, long number, int on, size_t bytes) {
    snprintf(root, sizeof root, "%s", folder);
    at = number, lasting = on, least = bytes, seen = 0, failed = 0, said[0] = 0;
    __atomic_store_n(&kinds, which, __ATOMIC_SEQ_CST);
}

const char *faults_disarm(void) {
    __atomic_store_n(&kinds, 0, __ATOMIC_SEQ_CST);
    return said;
}

__attribute__((constructor)) static void from_environment(void) {
    const char *told = getenv("FAULTS"); /* kinds number lasting bytes folder */
    int which, on, begin;
    long number, bytes;
    if (told && sscanf(told, "%d %ld %d %ld %n", &which, &number, &on, &bytes, &begin) == 4)
        snprintf(report, sizeof report, "%s/said", told + begin);
    if (*report) faults_arm(told + begin, which, number, on, bytes);
}

static void tell(void) {
    int file = syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    syscall(SYS_write, file, said, strlen(said));
    syscall(SYS_close, file);
}

static int fails(int kind, const char *call, const char *what, int error) {
    if (!(kinds & kind)) return 0;
    long number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (number != at && !(lasting && failed == kind)) return 0;
    if (!failed) snprintf(said, sizeof said, "%s %s", call, what);
    if (!failed && *report) tell();
    failed = kind;
    errno = error;
    return 1;
}

static int inside(const char *path) {
    return kinds && path && !strncmp(path, root, strlen(root));
}

static int of_file(int kind, const char *call, int handle, int error) {
    char link[64], path[4096];
    if (!(kinds & kind) || handle == 2) return 0;
    if (handle == 1) return fails(kind, call, "standard output", error);
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return (inside(path) || !strncmp(path, "pipe:", 5)) && fails(kind, call, path, error);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static int refused(const char *path, int flags) {
    struct stat found;
    if (!inside(path)) return 0;
    int folder = !stat(path, &found) && S_ISDIR(found.st_mode);
    int writes = folder || (flags & O_ACCMODE) != O_RDONLY; /* a folder is opened to sync it */
    return 1 && fails(writes ? WRITING : READING, "open", path, writes ? ENOSPC : EIO);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                    \
        va_end(more);                                                                              \
        return refused(path, flags) ? -1 : REAL(int, name, const char *, int, ...)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int folder, const char *path, int flags, ...) {                                       \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                    \
        va_end(more);                                                                              \
        return refused(path, flags)                                                                \
                   ? -1                                                                            \
                   : REAL(int, name, int, const char *, int, ...)(folder, path, flags, mode);      \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                \
    FILE *name(const char *path, const char *mode) {                                               \
        return refused(path, *mode == 'r' ? O_RDONLY : O_WRONLY)                                   \
                   ? NULL                                                                          \
                   : REAL(FILE *, name, const char *, const char *)(path, mode);                   \
    }
FOPEN(fopen)
FOPEN(fopen64)

static size_t cut(size_t size) { return kinds & SHORT && size > 1 ? (size + 1) / 2 : size; }

ssize_t read(int handle, void *data, size_t size) {
    if (of_file(READING, "read", handle, EIO)) return -1;
    return REAL(ssize_t, read, int, void *, size_t)(handle, data, cut(size));
}

ssize_t write(int handle, const void *data, size_t size) {
    if (of_file(WRITING, "write", handle, ENOSPC)) return -1;
    return REAL(ssize_t, write, int, const void *, size_t)(handle, data, cut(size));
}

#define PREAD(name)                                                                                \
    ssize_t name(int handle, void *data, size_t size, off_t place) {                               \
        if (of_file(READING, #name, handle, EIO)) return -1;                                       \
        return REAL(ssize_t, name, int, void *, size_t, off_t)(handle, data, size, place);         \
    }
PREAD(pread)
PREAD(pread64)

#define PWRITE(name)                                                                               \
    ssize_t name(int handle, const void *data, size_t size, off_t place) {                         \
        if (of_file(WRITING, #name, handle, ENOSPC)) return -1;                                    \
        return REAL(ssize_t, name, int, const void *, size_t, off_t)(handle, data, size, place);   \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define ON_HANDLE(name)                                                                            \
    int name(int handle) {                                                                         \
        return of_file(WRITING, #name, handle, EIO) ? -1 : REAL(int, name, int)(handle);           \
    }
ON_HANDLE(fsync)
ON_HANDLE(fdatasync)

int close(int handle) { /* which closes all the same */
    int writes = kinds & WRITING && (fcntl(handle, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int bad = writes && handle != 1 && of_file(WRITING, "close", handle, EIO);
    int found = REAL(int, close, int)(handle);
    if (bad) errno = EIO;
    return bad ? -1 : found;
}

int fchmod(int handle, mode_t mode) {
    if (of_file(WRITING, "fchmod", handle, EPERM)) return -1;
    return REAL(int, fchmod, int, mode_t)(handle, mode);
}

int rename(const char *old, const char *new) {
    if (inside(new) && fails(WRITING, "rename", new, EIO)) return -1;
    return REAL(int, rename, const char *, const char *)(old, new);
}

int renameat(int one, const char *old, int other, const char *new) {
    if (inside(new) && fails(WRITING, "rename", new, EIO)) return -1;
    return REAL(int, renameat, int, const char *, int, const char *)(one, old, other, new);
}

int link(const char *old, const char *new) {
    if (inside(new) && fails(WRITING, "link", new, EIO)) return -1;
    return REAL(int, link, const char *, const char *)(old, new);
}

int linkat(int one, const char *old, int other, const char *new, int flags) {
    if (inside(new) && fails(WRITING, "link", new, EIO)) return -1;
    return REAL(int, linkat, int, const char *, int, const char *, int)(one, old, other, new, flags);
}

int mkdir(const char *path, mode_t mode) {
    if (inside(path) && fails(WRITING, "mkdir", path, ENOSPC)) return -1;
    return REAL(int, mkdir, const char *, mode_t)(path, mode);
}

int pipe2(int ends[2], int flags) {
    if (fails(STARTING, "pipe", "", EMFILE)) return -1;
    return REAL(int, pipe2, int *, int)(ends, flags);
}

pid_t fork(void) { return fails(STARTING, "fork", "", EAGAIN) ? -1 : REAL(pid_t, fork, void)(); }

pid_t vfork(void) { return fork(); } /* this frame would not outlive the child's use of it */

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *what) {
    if (fails(STARTING, "thread", "", EAGAIN)) return EAGAIN;
    return REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *),
                void *)(thread, how, run, what);
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static int starved(size_t size) {
    char what[32];
    if (!(kinds & MEMORY) || size < least) return 0;
    snprintf(what, sizeof what, "%zu", size);
    return fails(MEMORY, "memory", what, ENOMEM);
}

void *malloc(size_t size) { return starved(size) ? NULL : __libc_malloc(size); }

void *calloc(size_t number, size_t size) {
    return starved(number * size) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) { return starved(size) ? NULL : __libc_realloc(old, size); }

#define MMAP(name)                                                                                 \
    void *name(void *where, size_t size, int access, int flags, int handle, off_t place) {         \
        if (starved(size)) return MAP_FAILED;                                                      \
        return REAL(void *, name, void *, size_t, int, int, int, off_t)(where, size, access, flags, \
                                                                        handle, place);            \
    }
MMAP(mmap)
MMAP(mmap64)
