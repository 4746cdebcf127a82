"""Is this instance ready, which part is ill, and what state is the network in.

``facts`` looks, ``judging`` says what it means (pure, so that every threshold can be tried), ``asking`` keeps whoever
does not answer from holding up the others, ``overview`` puts them together. Looks; changes nothing.
"""

from handshaker.health.check import NAMES, Check, State, overall
from handshaker.health.network import NetworkStatus, Relayer
from handshaker.health.overview import Health

__all__ = ["NAMES", "Check", "Health", "NetworkStatus", "Relayer", "State", "overall"]
