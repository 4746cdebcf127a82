"""The catalogues of translations hold what the sources say, and a language is complete or says where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.catalogues import (
    SOURCE_LANGUAGE,
    TEMPLATE,
    TRANSLATIONS,
    catalogue_files,
    extract,
    main,
    read,
    text_of,
    updated,
)


def test_the_template_holds_every_text_of_the_sources() -> None:
    assert TEMPLATE.read_bytes() == text_of(extract()), "`make messages` brings it up to date"


@pytest.mark.parametrize("path", list(catalogue_files()), ids=lambda path: path.parts[-3])
def test_every_language_has_the_texts_of_the_template(path: Path) -> None:
    assert path.read_bytes() == text_of(updated(path, extract())), "`make messages` brings it up to date"


@pytest.mark.parametrize("path", list(catalogue_files()), ids=lambda path: path.parts[-3])
def test_a_translation_has_the_placeholders_of_its_text(path: Path) -> None:
    catalogue = read(path)
    assert [str(error) for message in catalogue for error in message.check(catalogue)] == []


def test_english_is_shipped_and_says_what_the_sources_say() -> None:
    path = TRANSLATIONS / SOURCE_LANGUAGE / "LC_MESSAGES" / "messages.po"
    said = {message.string for message in read(path) if message.id}
    assert said <= {"", ("", "")}


def test_another_language_is_begun_kept_and_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.catalogues.TRANSLATIONS", tmp_path)
    monkeypatch.setattr("scripts.catalogues.TEMPLATE", tmp_path / "messages.pot")
    path = tmp_path / "de" / "LC_MESSAGES" / "messages.po"
    monkeypatch.setattr("sys.argv", ["catalogues.py", "de"])
    main()
    path.write_text(path.read_text().replace('msgid "Valid"\nmsgstr ""', 'msgid "Valid"\nmsgstr "Gültig"'))

    monkeypatch.setattr("sys.argv", ["catalogues.py"])
    monkeypatch.setattr("scripts.catalogues.catalogue_files", lambda: catalogue_files(tmp_path))
    main()

    assert 'msgstr "Gültig"' in path.read_text()
    assert path.with_suffix(".mo").read_bytes().find("Gültig".encode()) > 0
    assert "not translated" in capsys.readouterr().out
