"""What people see: the job summary, the HTML report, the terminal."""
