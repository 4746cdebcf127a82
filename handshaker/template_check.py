"""Holding a template document against itself, the vocabulary and the contracts: every problem, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import yaml
from jinja2 import TemplateError
from jsonschema import Draft202012Validator

from handshaker.clinical.fhir import is_resource_type
from handshaker.clinical.loinc import is_loinc
from handshaker.clinical.ucum import is_ucum
from handshaker.ethereum.contracts import CONTRACT_NAMES, functions
from handshaker.ethereum.statements import StatementType, statement_type
from handshaker.expressions import (
    ExpressionInvalid,
    coerce,
    evaluate,
    expected,
    expression_problems,
    paths_read,
)
from handshaker.messages import Json
from handshaker.schemas import Problem, compile_schema, path_of, problems_of, schema_problems
from handshaker.sentences import sentence_paths, sentence_problems
from handshaker.template_context import context_values, kind_of_role, sample_context
from handshaker.vocabulary import CATEGORY_BY_CODE, WRITABLE, ActorKind, Purpose, Role

Document = Mapping[str, Json]
_ROLES = {role.code: role for role in Role}
_OTHER_ROLES = ("patient", "administrator")


def document_problems(document: Document) -> list[Problem]:
    """Return everything that is wrong with a template document, its example aside.

    Each part is checked as far as it is well-formed, whatever is wrong with the others.
    """
    found = problems_of(_document_schema(), document, author=True)
    broken = {str(problem["path"]).split(".")[0].split("[")[0] for problem in found}
    sound = {name: value for name, value in document.items() if name not in broken}
    for check in (_vocabulary, _payload, _clinical, _rules, _statement, _sentence, _off_chain):
        found.extend(check(sound))
    return found


def statement_of(document: Document) -> StatementType | None:
    """Return the statement that the document's function takes with one signature, or ``None``."""
    contract, function = document.get("contract"), document.get("function")
    if contract not in CONTRACT_NAMES or function not in functions(str(contract)):
        return None
    try:
        kind = statement_type(str(contract), str(function))
    except KeyError:
        return None
    return kind if len(kind.function.inputs) == 2 else None


def sample_values(document: Document, kind: ActorKind, role: str) -> dict[str, Json]:
    """Return the names that expressions see for a made-up actor."""
    category, purpose = document.get("category"), str(document.get("purpose"))
    return context_values(
        sample_context(kind, role),
        action=str(document.get("action")),
        category=category if category in CATEGORY_BY_CODE else None,
        purpose=Purpose[purpose] if purpose in Purpose.__members__ else None,
        lifetime=int(document.get("lifetime", 0)),
        supersedes=None,
        commitment=bytes(range(32)),
    )


def actors_of(document: Document) -> Iterator[tuple[ActorKind, str]]:
    """Yield one role for each kind of actor that may use the template."""
    kinds: dict[ActorKind, str] = {}
    for role in document.get("roles", ()):
        if role in _ROLES or role in _OTHER_ROLES:
            kinds.setdefault(kind_of_role(role), role)
    yield from kinds.items()


def field_problem(expression: str, abi_type: str, scope: Mapping[str, Json]) -> str | None:
    """Return why ``expression`` does not give what ``abi_type`` takes, or ``None``."""
    try:
        coerce(evaluate(expression, scope), abi_type)
    except ExpressionInvalid as error:
        return f"wants {expected(abi_type)}, but `{expression}` {error}"
    return None


@cache
def _document_schema() -> Draft202012Validator:
    text = files("handshaker.contract_templates").joinpath("template.schema.yaml").read_text("utf-8")
    return compile_schema(yaml.safe_load(text))


def _vocabulary(document: Document) -> Iterator[Problem]:
    known_roles = (*_ROLES, *_OTHER_ROLES)
    category, purpose = document.get("category"), document.get("purpose")
    if category is not None and category not in CATEGORY_BY_CODE:
        yield _problem("category", f"is not a category; there are {', '.join(CATEGORY_BY_CODE)}")
    if purpose is not None and purpose not in Purpose.__members__:
        yield _problem("purpose", f"is not a purpose; there are {', '.join(Purpose.__members__)}")
    for position, role in enumerate(document.get("roles", ())):
        if role not in known_roles:
            yield _problem(f"roles[{position}]", f"is not a role; there are {', '.join(known_roles)}")
        elif document.get("action") == "write" and category in CATEGORY_BY_CODE and not _may_write(role, category):
            yield _problem(f"roles[{position}]", f"{role} may not write {category}; the contract would refuse it")
    if document.get("action") == "write":
        for name, value in (("category", category), ("purpose", purpose)):
            if value is None:
                yield _problem(name, "is missing: what writes needs a category and a purpose")


def _may_write(role: str, category: str) -> bool:
    return role in _ROLES and bool(WRITABLE[_ROLES[role]] & CATEGORY_BY_CODE[category].mask)


def _payload(document: Document) -> Iterator[Problem]:
    schema = document.get("payload")
    if schema is not None:
        for problem in schema_problems(schema):
            yield _problem(".".join(filter(None, ("payload", str(problem["path"])))), str(problem["problem"]))


def _clinical(document: Document) -> Iterator[Problem]:
    resource_type = document.get("resource_type")
    if resource_type is not None and not is_resource_type(resource_type):
        yield _problem("resource_type", "is not a resource of FHIR R4")
    for position, code in enumerate(document.get("covers", ())):
        if not is_loinc(code):
            yield _problem(f"covers[{position}]", "is no LOINC code: its form or its check digit is wrong")
    for name in ("covers", "plausibility"):
        if document.get(name) and resource_type is None:
            yield _problem(name, "needs a resource_type: only FHIR resources carry LOINC codes")
    seen: set[str] = set()
    for position, known in enumerate(document.get("plausibility", ())):
        here = f"plausibility[{position}]"
        if not is_loinc(known["code"]):
            yield _problem(f"{here}.code", "is no LOINC code: its form or its check digit is wrong")
        if known["code"] in seen:
            yield _problem(f"{here}.code", "has a range already")
        seen.add(known["code"])
        if known.get("assumed") is not None and known["assumed"] not in known["units"]:
            yield _problem(f"{here}.assumed", "is not among the units")
        for unit, (low, high) in known["units"].items():
            if not is_ucum(unit):
                yield _problem(path_of((*_steps(here), "units", unit)), "is not a UCUM unit")
            if low > high:
                yield _problem(path_of((*_steps(here), "units", unit)), "has its lowest value above its highest")


def _rules(document: Document) -> Iterator[Problem]:
    for position, rule in enumerate(document.get("rules", ())):
        for problem in expression_problems(rule["that"], {}, ("payload",)):
            yield _problem(f"rules[{position}].that", problem)


def _statement(document: Document) -> Iterator[Problem]:
    contract, function = document.get("contract"), document.get("function")
    if contract is not None and contract not in CONTRACT_NAMES:
        yield _problem("contract", f"is not a contract; there are {', '.join(CONTRACT_NAMES)}")
    kind = statement_of(document)
    if contract in CONTRACT_NAMES and function is not None and kind is None:
        able = [name for name in functions(contract) if statement_of({"contract": contract, "function": name})]
        yield _problem(
            "function",
            f"{contract} has no function {function} that takes a statement and one signature; "
            f"there are {', '.join(able) or 'none'}",
        )
    statement = document.get("statement")
    if kind is None or statement is None:
        return
    abi_types = dict(kind.fields)
    for name in abi_types.keys() - statement.keys():
        yield _problem(f"statement.{name}", f"is missing: {kind.name} wants {expected(abi_types[name])} here")
    for name in statement.keys() - abi_types.keys():
        yield _problem(f"statement.{name}", f"is no field of {kind.name}; there are {', '.join(abi_types)}")
    for name, abi_type in kind.fields:
        if name in statement:
            yield from _field(document, name, statement[name], abi_type)
    if "deadline" in abi_types and document.get("lifetime") == 0:
        yield _problem("lifetime", f"must be more than 0 seconds, for {kind.name} has a deadline")


def _field(document: Document, name: str, expression: str, abi_type: str) -> Iterator[Problem]:
    here = f"statement.{name}"
    if name == "terms":
        if expression != "context.terms":
            yield _problem(here, "must be context.terms: what is signed is the sentence")
        return
    actors = list(actors_of(document))
    sample = sample_values(document, *(actors[0] if actors else (ActorKind.PRACTITIONER, "doctor")))
    problems = expression_problems(expression, sample | {"terms": "text"}, ("payload", "context"))
    yield from (_problem(here, problem) for problem in problems)
    if problems:
        return
    reads = paths_read(expression)
    yield from (_problem(here, problem) for problem in _unknown_in_payload(reads, document))
    if any(path[0] == "payload" for path in reads):
        return  # only an example can try it
    for kind, role in actors:
        scope = {"payload": {}, "context": sample_values(document, kind, role) | {"terms": "text"}}
        problem = field_problem(expression, abi_type, scope)
        if problem is not None:
            yield _problem(here, f"{problem} (for a {role})" if len(actors) > 1 else problem)


def _sentence(document: Document) -> Iterator[Problem]:
    sentence = document.get("sentence")
    if sentence is None:
        return
    problems = sentence_problems(sentence, sample_values(document, ActorKind.PRACTITIONER, "doctor"))
    yield from (_problem("sentence", problem) for problem in problems)
    if problems:
        return
    reads = sentence_paths(sentence)
    yield from (_problem("sentence", problem) for problem in _unknown_in_payload(reads, document))
    kind = statement_of(document)
    if kind is not None and "terms" in dict(kind.fields) and ("context", "reference") not in reads:
        yield _problem("sentence", "must end in {{ context.reference }}, or its hash on the chain could be guessed")


def _off_chain(document: Document) -> Iterator[Problem]:
    """Find what is said to stay off the chain and is mapped onto it after all."""
    kind = statement_of(document)
    carried = {f"statement.{name}": _reads(expression) for name, expression in document.get("statement", {}).items()}
    if kind is not None and "terms" in dict(kind.fields) and "sentence" in document:
        carried["sentence"] = _sentence_reads(document["sentence"])
    for position, expression in enumerate(document.get("off_chain", ())):
        here = f"off_chain[{position}]"
        problems = expression_problems(expression, {}, ("payload",))
        yield from (_problem(here, problem) for problem in problems)
        for kept in set() if problems else _reads(expression):
            for place, reads in carried.items():
                if any(path[: len(kept)] == kept or kept[: len(path)] == path for path in reads):
                    yield _problem(place, f"carries what off_chain[{position}] says stays off the chain")


def _unknown_in_payload(reads: set[tuple[str, ...]], document: Document) -> Iterator[str]:
    schema = document.get("payload")
    if not isinstance(schema, Mapping) or schema.get("additionalProperties") is not False:
        return
    known = schema.get("properties")
    for path in sorted(reads):
        if isinstance(known, Mapping) and path[0] == "payload" and len(path) > 1 and path[1] not in known:
            yield f"payload.{path[1]} is not in the payload's schema; there are {', '.join(known)}"


def _reads(expression: str) -> set[tuple[str, ...]]:
    try:
        return paths_read(expression)
    except ExpressionInvalid:
        return set()


def _sentence_reads(sentence: str) -> set[tuple[str, ...]]:
    try:
        return sentence_paths(sentence)
    except TemplateError:
        return set()


def _steps(path: str) -> tuple[str | int, ...]:
    name, _, position = path.removesuffix("]").partition("[")
    return (name, int(position))


def _problem(path: str, problem: str) -> Problem:
    return {"path": path, "problem": problem}
