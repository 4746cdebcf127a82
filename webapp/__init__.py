"""The web application: server-rendered pages for people who work with patients, and the REST API.

The layer's rule: routes parse, call and answer. They use what ``handshaker`` exports and nothing behind it: no store,
no vault, no chain. What goes wrong is a ``HandshakerError``, and becomes a page or a problem document in ``errors``.
Every endpoint says in ``access``'s words who may open it; one that says nothing is closed.
"""
