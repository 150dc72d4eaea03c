"""What the end-to-end tests share: starting the programs, reading the kernel's report, comparing."""
