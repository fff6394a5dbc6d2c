"""A library that is loaded before glibc's functions and makes them fail, or gives a wrong date."""

import shutil
import subprocess
from pathlib import Path

import pytest

# While the file EIO_FLAG exists, reading and writing below the folder EIO_FOLDER fails as on a
# broken disk. WRONG_CLOCK_S is added to the date; clocks that measure durations stay right.
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int broken(int fd) {
    const char *folder = getenv("EIO_FOLDER"), *flag = getenv("EIO_FLAG");
    char link[64], path[PATH_MAX];
    if (!folder || !flag || access(flag, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void *to, size_t count) {
    return broken(fd) ? -1 : REAL(read)(fd, to, count);
}
ssize_t pread(int fd, void *to, size_t count, off_t at) {
    return broken(fd) ? -1 : REAL(pread)(fd, to, count, at);
}
ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    return broken(fd) ? -1 : REAL(pread64)(fd, to, count, at);
}
ssize_t write(int fd, const void *from, size_t count) {
    return broken(fd) ? -1 : REAL(write)(fd, from, count);
}
int fsync(int fd) { return broken(fd) ? -1 : REAL(fsync)(fd); }

static time_t wrong_s(void) {
    const char *text = getenv("WRONG_CLOCK_S");
    return text ? atol(text) : 0;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += wrong_s();
    return result;
}
time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
"""


def faulty_io(folder: Path) -> dict[str, str]:
    """Builds the library; the variables that load it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source, library = folder / "faulty_io.c", folder / "faulty_io.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
