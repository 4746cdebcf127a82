"""Deployments and templates: what is the same for everybody and never changes once written."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from handshaker.messages import ChainIdentity, Deployment
from handshaker.store import schema as s
from handshaker.store.database import Database


class CatalogueStore:
    """Implements ``template_manager.TemplateStore`` and remembers where the contracts are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_deployment(self, deployment: Deployment, at: datetime) -> None:
        """Remember a deployment; the newest one counts."""
        with self._database.write() as connection:
            connection.execute(
                sa.insert(s.deployments).values(
                    chain_id=deployment.identity.chain_id,
                    genesis=deployment.identity.genesis,
                    addresses=dict(deployment.addresses),
                    block_number=deployment.block_number,
                    deployed_at=at,
                )
            )

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
        """Insert a template; the pair of name and version is unique for ever."""
        with self._database.write() as connection:
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

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        """Return ``(name, version, digest, document)`` of every template, by name and version."""
        query = sa.select(
            s.templates.c.name, s.templates.c.version, s.templates.c.digest, s.templates.c.document
        ).order_by(s.templates.c.name, s.templates.c.version)
        with self._database.read() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]
