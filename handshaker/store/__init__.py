"""The store: the only place with SQL of the audit database.

One file a subject; each function that writes is one SQL transaction, so what belongs together is there together or
not at all. SQLite by default, PostgreSQL by URL. Tables of ``schema.APPEND_ONLY`` refuse UPDATE and DELETE by trigger.
"""
