"""What `make bench` runs: throughput from TI to ACK, and the gas of each operation."""
