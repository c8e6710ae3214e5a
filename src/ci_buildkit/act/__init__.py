"""A repository's workflows on this machine, run by act and read from what act says."""
