"""What `make bench` runs: throughput and latency from TI to ACK, the gas of each operation, and rates of small parts.

Figures of one machine swing nearly threefold with its noise, so everything that is compared is measured in turns in the
same run, and the ratio is what counts. A run is a JSON file in ``results/``; ``docs/benchmarks.md`` is made from
``results/reference.json`` alone.
"""
