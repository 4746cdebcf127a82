"""The questions that the check of a proof asks of a node, answered through the connection that we have."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3

METHODS = frozenset({"eth_chainId", "eth_getBlockByNumber", "eth_getTransactionReceipt", "eth_call"})


def answer(web3: Web3, asker: str | None, method: str, params: list[Any]) -> Any:
    """Return what the node says to one of ``METHODS``, decoded as web3 decodes it; raises as web3 does.

    ``asker`` is the account in whose name contracts are asked, where there is one: eth-tester wants to know.
    """
    if method == "eth_chainId":
        return web3.eth.chain_id
    if method == "eth_getBlockByNumber":
        return web3.eth.get_block(int(params[0], 16))
    if method == "eth_getTransactionReceipt":
        return web3.eth.get_transaction_receipt(HexBytes(params[0]))
    if method == "eth_call":
        call, block = params
        named: Any = {**call, "to": to_checksum_address(call["to"]), **({"from": asker} if asker else {})}
        return web3.eth.call(named, block if block == "latest" else int(block, 16))
    raise ValueError(method)
