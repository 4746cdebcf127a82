"""Everything that speaks Ethereum: contracts, statements, nodes, relayers, the indexer.

The only place that imports web3. ``statements`` and ``contracts`` are pure and need no node.
"""
