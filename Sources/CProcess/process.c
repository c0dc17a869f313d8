// What Swift can't do: between `vfork` and `execve` nothing may run that allocates, locks or is interrupted, and
// `posix_spawn` has no action for `PR_SET_PDEATHSIG`.

#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

extern char **environ;

/// Before `main`: each of the descriptors 0, 1 and 2 that is closed is opened on /dev/null, in the direction in which it
/// can't be used. Otherwise the first socket or file would get its number, and log lines would be written into it.
__attribute__((constructor)) static void open_standard_streams(void) {
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
        (void)open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

static void close_others(void) {
    if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
    struct rlimit limit;
    int last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int file = 3; file < last; file++) close(file);
}

/// In the new process. Returns the error number when it can't become what it should.
static int become(const struct jobboard_process *process, pid_t parent) {
    struct sigaction action = {0};
    for (int number = 1; number < NSIG; number++) {
        action.sa_handler = number == SIGHUP && process->ignores_hangup ? SIG_IGN : SIG_DFL;
        (void)sigaction(number, &action, NULL);
    }
    if (setpgid(0, 0) != 0) return errno;
    if (process->dies_with_thread) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
        // The parent may have died before that.
        if (getppid() != parent) return ESRCH;
    }
    for (int number = 0; number < 3; number++) {
        int file = process->streams[number];
        if (file >= 0 && file != number && dup2(file, number) < 0) return errno;
    }
    close_others();
    sigset_t none;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    execve(process->path, process->arguments, process->environment);
    return errno;
}

int jobboard_process_start(const struct jobboard_process *process, pid_t *pid) {
    // The new process shares our memory until `execve`: no handler of a signal may run in it meanwhile.
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t parent = getpid();
    volatile int failure = 0;
    const pid_t child = vfork();
    if (child == 0) {
        failure = become(process, parent);
        _exit(127);
    }
    const int code = child < 0 ? errno : failure;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child > 0 && code != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    if (code == 0) *pid = child;
    return code;
}

int jobboard_process_descriptor(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int jobboard_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
}

char **jobboard_environment(void) {
    return environ;
}
