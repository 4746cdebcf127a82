"""The history of the vault's tables; Alembic runs it when the vault is opened."""
