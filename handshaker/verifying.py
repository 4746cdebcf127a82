"""Puts a verifier of the audit log together. Not the Handshaker: nothing may be written while evidence is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from handshaker.audit.verification import House, Verifier
from handshaker.clock import SystemClock
from handshaker.commitments import commitment, detail_context, quarantine_of
from handshaker.errors import CiphertextInvalid, KeyUnknown
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.heads import signer_for
from handshaker.ethereum.nodes import named
from handshaker.messages import Deployment, Sealed
from handshaker.settings import Settings
from handshaker.store.verification import AuditReader
from handshaker.vault.sql_vault import SqlVault


@contextmanager
def verifier(settings: Settings, *, chain: EthereumChain | None = None, offline: bool = False) -> Iterator[Verifier]:
    """Open an instance to be read only, and give its verifier; with ``offline`` one that asks no chain.

    Raises ``StoreUnavailable``, ``SchemaOutdated`` and ``RootKeyUnusable``.
    """
    vault = SqlVault.open(settings.vault, settings.root_key_path, clock=SystemClock())
    reader = AuditReader(settings.store)
    profile = None if settings.chain_profile == "auto" else named(settings.chain_profile)

    def asked(deployment: Deployment | None) -> EthereumChain:
        nonlocal chain
        chain = chain or EthereumChain(connect(settings.chain_url), profile)
        if deployment is not None:
            chain.deployment = deployment
        return chain

    house = House(
        keeper=vault,
        sealed_from=vault.sealed_since(),
        operators=frozenset(vault.relayers().values()),
        opened=lambda said, columns: _committed(vault, said, columns),
    )
    try:
        yield Verifier(reader, house, signer_for, None if offline else asked)
    finally:
        reader.close()
        vault.close()


def _committed(vault: SqlVault, said: Mapping[str, Any], columns: Sequence[Any]) -> bytes | None:
    """Return the commitment to a sealed detail; ``None`` for an erased owner's, ``ValueError`` for an altered one."""
    owner, nonce, ciphertext, wrapped = columns
    if not isinstance(owner, str) or not all(isinstance(each, bytes) for each in (nonce, ciphertext, wrapped)):
        raise ValueError("not the columns of a ciphertext")
    try:
        body = json.loads(vault.unseal(Sealed(owner, nonce, ciphertext, wrapped), detail_context(str(said["ti"]))))
        return commitment(body["detail"], bytes.fromhex(body["salt"]))
    except KeyUnknown as error:
        # A name that was never an owner's is no erased one.
        if owner not in (said.get("patient"), quarantine_of(datetime.fromisoformat(str(said["at"])))):
            raise ValueError("another owner") from error
        return None
    except CiphertextInvalid as error:
        raise ValueError("altered") from error
