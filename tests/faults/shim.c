/* What a process under test is told of the world: its wall clock is off by what the control file holds, and inotify may be refused.
 * Preloaded into the agent (LD_PRELOAD); the control file is two 64-bit integers, seconds to add and whether inotify is refused, and
 * is mapped, so that a change counts at once. What refuses nothing: without the control file nothing is changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int answer = (int)syscall(SYS_clock_gettime, which, now);
    if (answer == 0 && which == CLOCK_REALTIME && control) now->tv_sec += control[0];
    return answer;
}

int inotify_init1(int flags) {
    if (control && control[1]) { errno = EMFILE; return -1; }
    return (int)syscall(SYS_inotify_init1, flags);
}

int inotify_init(void) { return inotify_init1(0); }
