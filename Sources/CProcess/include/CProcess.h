#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "crash.h"

/// What a new process is made of. Paths, arguments and environment are bytes as the system takes them, in any encoding.
struct jobboard_process {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// What becomes its descriptors 0, 1 and 2; -1 to share ours. It gets no others.
    int streams[3];
    /// It is killed when the thread that started it ends, which it does with the process at the latest.
    bool dies_with_thread;
    /// SIGHUP stays ignored in it; every other signal gets its default action.
    bool ignores_hangup;
};

/// Starts a process in a group of its own. Returns 0, or the error number of what failed, `execve` included: then there is
/// no process.
int jobboard_process_start(const struct jobboard_process *process, pid_t *pid);

/// A descriptor that becomes readable when the process has ended; -1 where the system has none.
int jobboard_process_descriptor(pid_t pid);

/// A pipe that no other process inherits, its reading end first. Returns 0, or the error number.
int jobboard_pipe(int ends[2]);

/// Our environment, as it is.
char **jobboard_environment(void);

#endif
