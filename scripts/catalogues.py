"""Bring the catalogues of translations up to the sources (``make messages``).

``messages.pot`` holds every text that the web application shows. Each language's ``messages.po`` gets what is new,
keeps what was translated, and is compiled. English is the language of the sources: its catalogue is there to be
read and copied, and needs no translation. ``.venv/bin/python scripts/catalogues.py de`` begins another language.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
WEBAPP = ROOT / "webapp"
TRANSLATIONS = WEBAPP / "translations"
MAPPING = ROOT / "babel.cfg"
TEMPLATE = TRANSLATIONS / "messages.pot"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
# The date of a run is no news: git knows when something changed.
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE_LANGUAGE = "en"


def extract(folder: Path = WEBAPP) -> Catalog:
    """Return all texts of the web application's sources, with the files that they stand in."""
    methods, options = parse_mapping_cfg(io.StringIO(MAPPING.read_text()))  # type: ignore[no-untyped-call]
    catalogue = _catalogue(None)
    found = extract_from_dir(folder, methods, options, KEYWORDS, comment_tags=("NOTE:",), strip_comment_tags=True)
    for name, _, message, comments, context in found:
        catalogue.add(message, None, [(f"webapp/{name}", 0)], auto_comments=comments, context=context)
    return catalogue


def read(path: Path, locale: str | None = None) -> Catalog:
    """Return a catalogue from its file."""
    with path.open("rb") as file:
        return read_po(file, locale)


def text_of(catalogue: Catalog) -> bytes:
    """Return a catalogue as the bytes of its file, the same for the same texts."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True)
    return buffer.getvalue()


def updated(path: Path, template: Catalog) -> Catalog:
    """Return the catalogue at ``path`` with the texts of ``template``; an empty one where there is none."""
    locale = path.parts[-3]
    catalogue = read(path, locale) if path.exists() else _catalogue(locale)
    # Nothing is guessed: a similar text is not the same text.
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.creation_date = LONG_AGO
    return catalogue


def catalogue_files(folder: Path = TRANSLATIONS) -> Iterator[Path]:
    """Yield the file of each language."""
    yield from sorted(folder.glob("*/LC_MESSAGES/messages.po"))


def compile_catalogue(catalogue: Catalog, path: Path) -> None:
    """Write what the web application reads at run time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)


def _catalogue(locale: str | None) -> Catalog:
    return Catalog(
        locale,
        project="Blockchain Handshaker",
        version="1",
        copyright_holder="the authors of the Blockchain Handshaker",
        msgid_bugs_address="none",
        creation_date=LONG_AGO,
        revision_date=LONG_AGO,
        last_translator="nobody yet",
        language_team="none",
        header_comment="# Texts of the web application, under the licence of its sources.",
        fuzzy=False,
    )


def main() -> None:
    """Write the template, and each language's catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", nargs="*", help="a language to begin, such as de or pt_BR")
    arguments = parser.parse_args()
    template = extract()
    TRANSLATIONS.mkdir(exist_ok=True)
    TEMPLATE.write_bytes(text_of(template))
    begun = [TRANSLATIONS / name / "LC_MESSAGES" / "messages.po" for name in (SOURCE_LANGUAGE, *arguments.language)]
    for path in sorted({*catalogue_files(), *begun}):
        catalogue = updated(path, template)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text_of(catalogue))
        language = path.parts[-3]
        missing = sum(1 for message in catalogue if message.id and not message.string)
        if language != SOURCE_LANGUAGE:
            compile_catalogue(catalogue, path.with_suffix(".mo"))
        print(f"{language}: {len(catalogue)} texts" + (f", {missing} not translated" if language != "en" else ""))


if __name__ == "__main__":
    main()
