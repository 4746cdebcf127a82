"""Pages for those who see patients: nurses, doctors and pathologists.

The layer's rule: a page of a patient says above all whose it is, in its banner, and never in its address or title.
What is clinical comes from the library's charts, drafts and submissions only, which ask the gateway; what changes
something is a POST with a key of its own, so that a second click is no second wish.
"""

from webapp.care import drafts, home, laboratory, notes, patients, requests, submissions, vitals, words
from webapp.care.blueprint import care
from webapp.care.moments import today

__all__ = ["care", "drafts", "home", "laboratory", "notes", "patients", "requests", "submissions", "vitals"]

care.context_processor(lambda: {"today": today()})
for _name, _filter in words.FILTERS.items():
    care.add_app_template_filter(_filter, _name)
