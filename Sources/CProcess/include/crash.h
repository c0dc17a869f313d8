#ifndef JOBBOARD_CRASH_H
#define JOBBOARD_CRASH_H

/// From now on a process that traps closes all its files and sockets at once, and says so on standard error, before anything
/// else is done about it. The Swift runtime may spend seconds on a backtrace, and the system on writing the process's memory to a
/// file; until then its sockets would stay open, and others would take it for a process that is slow.
void jobboard_close_sockets_on_crash(void);

#endif
