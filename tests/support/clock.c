/* Stands between a sidecar and the machine's clocks: put before it with LD_PRELOAD, it shifts what two of them show
   by what the file of SEXTON_TEST_CLOCK says at that moment. The file holds two 64-bit numbers, in milliseconds: the
   first is added to the wall clock, the second to the time since the boot. Everything else is as the system says. */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shifts;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SEXTON_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *shared = mmap(0, 2 * sizeof *shifts, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED)
        shifts = shared;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    long failed = syscall(SYS_clock_gettime, clock, time);
    if (failed || !shifts || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
        return (int)failed;
    int64_t shift = shifts[clock == CLOCK_REALTIME ? 0 : 1];
    int64_t nanoseconds = time->tv_nsec + shift % 1000 * 1000000;
    time->tv_sec += shift / 1000 + nanoseconds / 1000000000;
    time->tv_nsec = nanoseconds % 1000000000;
    if (time->tv_nsec < 0) {
        time->tv_nsec += 1000000000;
        time->tv_sec -= 1;
    }
    return 0;
}
