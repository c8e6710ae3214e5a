"""The command line: arguments to calls, one module a command, nothing else."""
