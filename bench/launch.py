"""Runs a command and prints its seconds, its processor seconds, its peak of memory in bytes and its exit code.

A program of its own because the peak of a process counts from before execve(2): a large process would hand its own size to
all that it starts. Called by `bench/child.py` as `python -I -S launch.py OUTPUT COMMAND...`.
"""

import os
import sys
import time


def main() -> None:
    """Start the command with both streams to OUTPUT, and wait for it."""
    output, *command = sys.argv[1:]
    streams = [
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
