"""Who one is: logging in, the lock of a shared workstation, the second factor, and one's own account.

The layer's rule: a wrong password looks the same whatever was wrong, what was typed is kept except secrets, and nobody
is sent to an address that is not a page of ours.
"""

from webapp.accounts import account, entering, locking, second_factor, tokens, welcome
from webapp.accounts.blueprint import accounts

__all__ = ["account", "accounts", "entering", "locking", "second_factor", "tokens", "welcome"]
