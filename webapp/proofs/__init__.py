"""Pages of proofs: of one acknowledgement, for whoever may read it, and of what somebody brings along.

The layer's rule: every check is made at the moment the page is, by the library and with the node asked; a page only
finds words for how it came out.
"""

from webapp.proofs import bringing, pages
from webapp.proofs.blueprint import proofs

__all__ = ["bringing", "pages", "proofs"]
