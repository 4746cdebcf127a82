"""The Transaction Template Manager: templates are data, versioned and immutable, checked before they are added."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid, TemplateImmutable, TemplateInvalid, TemplateUnknown
from handshaker.messages import Json, PlausibleRange, Rule, Template
from handshaker.ports import Clock
from handshaker.schemas import Problem
from handshaker.template_check import document_problems
from handshaker.template_example import example_problems
from handshaker.template_files import line_in, line_of, load_document, read_document
from handshaker.vocabulary import Purpose

Document = Mapping[str, Json]
_FRESH = timedelta(seconds=2)
"""How long another process's new version may go unnoticed where "the newest" is asked for."""


class TemplateStore(Protocol):
    """Where documents rest. Rows are only ever added."""

    def add_template(
        self, name: str, version: int, digest: str, document_json: str, added_by: str, added_at: datetime
    ) -> None:
        """Add one document; ``digest`` is 64 hex digits."""
        ...

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        """Return every ``(name, version, digest, document_json)``."""
        ...


class TemplateManager:
    """Keeps the templates. Parsed ones are cached for good, for they never change."""

    def __init__(self, store: TemplateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._documents: dict[tuple[str, int], tuple[str, str]] = {}
        self._parsed: dict[tuple[str, int], Template] = {}
        self._loaded_at: datetime | None = None

    def parse(self, document: Document) -> Template:
        """Return the template of a document.

        Raises ``TemplateInvalid`` with every problem: ``problems`` is a list of ``{"path", "problem"}``.
        """
        problems = document_problems(document)
        if problems:
            raise _invalid(document, problems)
        try:
            template = _template(document)
        except EnvelopeInvalid as error:
            raise _invalid(document, [{"path": "", "problem": error.data["problem"]}]) from None
        problems = example_problems(document, template)
        if problems:
            raise _invalid(document, problems)
        return template

    def load_file(self, path: Path) -> dict[str, Json]:
        """Return the document of a YAML or JSON file; raises ``InputInvalid`` with line and column."""
        return load_document(path)

    def check_file(self, path: Path) -> Template:
        """Load and parse a file without adding it.

        Raises ``InputInvalid``, or ``TemplateInvalid`` whose problems also tell their ``line``.
        """
        document = load_document(path)
        with _placed(lambda place: line_of(path, place)):
            return self.parse(document)

    def check_text(self, text: str) -> tuple[dict[str, Json], Template]:
        """Read YAML or JSON text; return the document and its template, which would be the next version.

        Raises ``InputInvalid``, ``TemplateImmutable``, or ``TemplateInvalid`` whose problems tell their ``line``.
        """
        document = read_document(text)
        with _placed(lambda place: line_in(text, place)):
            return document, self.check_next(document)

    def check_next(self, document: Document) -> Template:
        """Return the template of a document that could be added now.

        Raises ``TemplateInvalid``, also for a version that is not the next one, and ``TemplateImmutable`` where that
        version exists.
        """
        template = self.parse(document)
        self._load()
        newest = max((version for name, version in self._documents if name == template.name), default=0)
        kept = self._documents.get((template.name, template.version))
        if kept is not None:
            content = "already" if kept[0] == template.digest else "with another content"
            raise TemplateImmutable(
                f"{template.reference} exists {content}.",
                name=template.name,
                version=template.version,
                next=newest + 1,
            )
        if template.version != newest + 1:
            problem = f"must be {newest + 1}, the next version of {template.name}"
            raise _invalid(document, [{"path": "version", "problem": problem}])
        return template

    def add(self, document: Document, by: str) -> Template:
        """Check and keep a document; the same one again changes nothing.

        Raises ``TemplateInvalid``, and ``TemplateImmutable`` where that version exists with another content.
        """
        template = self.parse(document)
        self._load()
        kept = self._documents.get((template.name, template.version))
        if kept is not None and kept[0] == template.digest:
            return template
        template = self.check_next(document)
        text = canonical(document).decode()
        self._store.add_template(template.name, template.version, template.digest, text, by, self._clock.now())
        self._load()
        return template

    def get(self, name: str, version: int | None = None) -> Template:
        """Return a template, the newest version where none is named; raises ``TemplateUnknown``."""
        if version is None:
            self._freshen()
            version = max((known for other, known in self._documents if other == name), default=0)
        elif (name, version) not in self._documents:
            self._load()
        if (name, version) not in self._documents:
            shown = f"{name}@{version}" if version else name
            raise TemplateUnknown(f"There is no template {shown[:80]}.", name=name, version=version or None)
        return self._parse_kept(name, version)

    def list(self) -> tuple[Template, ...]:
        """Return the newest version of every template, by name."""
        self._load()
        return tuple(self.get(name) for name in sorted({name for name, _ in self._documents}))

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions of a template, rising; empty where there is none."""
        self._load()
        return tuple(sorted(version for other, version in self._documents if other == name))

    def document(self, name: str, version: int | None = None) -> dict[str, Json]:
        """Return the document as it was added; raises ``TemplateUnknown``."""
        template = self.get(name, version)
        document: dict[str, Json] = json.loads(self._documents[template.name, template.version][1])
        return document

    def covering(self, loinc_code: str, resource_type: str) -> Template | None:
        """Return the first template (by name) that imports resources of that type and LOINC code."""
        self._freshen()
        for name in sorted({name for name, _ in self._documents}):
            template = self.get(name)
            if template.resource_type == resource_type and loinc_code in template.covers:
                return template
        return None

    def install_shipped(self, by: str = "handshaker") -> tuple[Template, ...]:
        """Add every template that comes with the Handshaker; those that are there already stay as they are."""
        return tuple(self.add(document, by) for document in shipped_documents())

    def _parse_kept(self, name: str, version: int) -> Template:
        template = self._parsed.get((name, version))
        if template is None:
            template = self.parse(json.loads(self._documents[name, version][1]))
            self._parsed[name, version] = template
        return template

    def _freshen(self) -> None:
        if self._loaded_at is None or self._clock.now() - self._loaded_at >= _FRESH:
            self._load()

    def _load(self) -> None:
        rows = self._store.template_documents()
        self._documents = {(name, version): (digest, text) for name, version, digest, text in rows}
        self._loaded_at = self._clock.now()


def shipped_documents() -> list[dict[str, Json]]:
    """Return the documents that come with the Handshaker, by name and version."""
    with as_file(files("handshaker.contract_templates")) as folder:
        paths = sorted(path for path in folder.glob("*.yaml") if not path.name.endswith(".schema.yaml"))
        documents = [load_document(path) for path in paths]
    return sorted(documents, key=lambda document: (document["name"], document["version"]))


@contextmanager
def _placed(line_of_place: Callable[[str], int | None]) -> Iterator[None]:
    """Tell the line of every problem that is met meanwhile."""
    try:
        yield
    except TemplateInvalid as error:
        placed = [problem | {"line": line_of_place(problem["path"])} for problem in error.data["problems"]]
        raise TemplateInvalid(error.message, **error.data | {"problems": placed}) from None


def _invalid(document: Document, problems: list[Problem]) -> TemplateInvalid:
    first = f"{problems[0]['path']} {problems[0]['problem']}".strip()
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return TemplateInvalid(
        f"The template does not hold: {first}{more}.",
        name=document.get("name"),
        version=document.get("version"),
        problems=problems,
    )


def _template(document: Document) -> Template:
    """Build the record of a document that was found sound."""
    purpose = document.get("purpose")
    return Template(
        name=document["name"],
        version=int(document["version"]),
        title=document["title"],
        contract=document["contract"],
        function=document["function"],
        roles=tuple(document["roles"]),
        action=document["action"],
        category=document.get("category"),
        purpose=None if purpose is None else Purpose[purpose],
        payload_schema=document["payload"],
        statement=document["statement"],
        sentence=document["sentence"],
        off_chain=tuple(document.get("off_chain", ())),
        lifetime=int(document["lifetime"]),
        plausibility=tuple(
            PlausibleRange(
                code=known["code"],
                display=known["display"],
                units={unit: (float(low), float(high)) for unit, (low, high) in known["units"].items()},
                assumed=known.get("assumed"),
            )
            for known in document.get("plausibility", ())
        ),
        covers=tuple(document.get("covers", ())),
        resource_type=document.get("resource_type"),
        rules=tuple(Rule(that=rule["that"], problem=rule["problem"]) for rule in document.get("rules", ())),
        example=document.get("example"),
        digest=sha256(canonical(document)).hexdigest(),
    )
