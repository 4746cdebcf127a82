"""Deployments and templates: what is the same for everybody and never changes once written."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from handshaker.messages import Act, ChainIdentity, Deployment
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.sequencer import Sequencer
from handshaker.vocabulary import ActCode


class CatalogueStore:
    """Implements ``template_manager.TemplateStore`` and remembers where the contracts are.

    Each act becomes an entry of the audit log in its own SQL transaction (``LogHeld``).
    """

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def add_deployment(self, deployment: Deployment, at: datetime) -> None:
        """Remember a deployment; the newest one counts."""
        details = {"chainId": deployment.identity.chain_id, "block": deployment.block_number}
        act = Act(ActCode.DEPLOYMENT_ADOPTED, "system", deployment.addresses["AuditAnchor"], details)
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            connection.execute(
                sa.insert(s.deployments).values(
                    chain_id=deployment.identity.chain_id,
                    genesis=deployment.identity.genesis,
                    addresses=dict(deployment.addresses),
                    block_number=deployment.block_number,
                    deployed_at=at,
                )
            )
            self._sequencer.append_act(connection, act, at)

    def deployment(self) -> Deployment | None:
        """Return the newest deployment."""
        query = sa.select(s.deployments).order_by(s.deployments.c.deployment_id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        identity = ChainIdentity(row["chain_id"], row["genesis"])
        return Deployment(identity, row["addresses"], row["block_number"])

    def add_template(
        self, name: str, version: int, digest: str, document_json: str, added_by: str, added_at: datetime
    ) -> None:
        """Insert a template; the pair of name and version is unique for ever. ``added_by`` is an id, or a program."""
        by = added_by if added_by.startswith("0x") else "system"
        act = Act(ActCode.TEMPLATE_INSTALLED, by, f"{name}@{version}", {"digest": digest})
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            connection.execute(
                sa.insert(s.templates).values(
                    name=name,
                    version=version,
                    digest=digest,
                    document=document_json,
                    added_by=added_by,
                    added_at=added_at,
                )
            )
            self._sequencer.append_act(connection, act, added_at)

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        """Return ``(name, version, digest, document)`` of every template, by name and version."""
        query = sa.select(
            s.templates.c.name, s.templates.c.version, s.templates.c.digest, s.templates.c.document
        ).order_by(s.templates.c.name, s.templates.c.version)
        with self._database.read() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]
