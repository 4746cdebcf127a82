"""The document and the code are the same thing."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from handshaker import TRANSACTION_SCHEMA
from tests.webapp.api.conftest import Callers
from webapp.api.contract import BASE, Operation, document, operations, pointer, resolved
from webapp.api.operations import PARTS, function_of
from webapp.errors import TABLE, error_kinds

OPERATIONS = [pytest.param(operation, id=operation.name) for operation in operations()]


def test_every_route_is_in_the_document_and_the_reverse(app: Flask) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert routes == {(operation.method, BASE + operation.path) for operation in operations()}


def test_every_function_does_an_operation_of_the_document() -> None:
    public = {
        name
        for part in PARTS
        for name, value in vars(part).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", "") == part.__name__
    }
    assert public == {operation.name for operation in operations()}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_names_its_errors_and_explains_itself(operation: Operation) -> None:
    answers = set(operation.raw["responses"])
    assert answers >= {"400", "406", "429", "500"}
    assert answers >= ({"401", "403", "503"} if operation.scope else set())
    assert answers >= ({"413", "415"} if operation.body else set())
    assert operation.raw["summary"]
    assert all(parameter.description for parameter in operation.parameters)
    assert function_of(operation).__doc__


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    whole = resolved(document(), document())
    assert "$ref" not in json.dumps(whole)
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("operation", [pytest.param(each, id=each.name) for each in operations() if each.body])
def test_the_example_of_a_body_holds(operation: Operation) -> None:
    example = operation.raw["requestBody"]["content"]["application/json"]["example"]
    assert operation.read_body(json.dumps(example).encode()) == example


def test_the_examples_of_parameters_hold() -> None:
    for operation in operations():
        given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for parameter in operation.parameters:
            if parameter.example is not None:
                given[parameter.where][parameter.name] = str(parameter.example)
        operation.read_parameters(given)


def test_a_transaction_is_described_by_the_librarys_own_schema(callers: Callers) -> None:
    served = callers.nobody.get("/openapi.json").json
    assert served["components"]["schemas"]["TransactionRequest"]["properties"] == TRANSACTION_SCHEMA["properties"]
    assert served == document()


def test_every_code_of_a_problem_has_a_page(callers: Callers) -> None:
    codes = {kind.code for kind in error_kinds()}
    listed = callers.nobody.get("/problems").json["problems"]
    assert [kind["code"] for kind in listed] == sorted(codes)
    for code in codes:
        page = callers.nobody.get(f"/problems/{code}").json
        assert page["sentence"].endswith((".", "?"))
        assert "``" not in page["sentence"]
        assert page["title"]
    assert callers.nobody.get("/problems/none-such").json["code"] == "not-found"


def test_every_entry_of_the_table_is_in_use() -> None:
    assert set(TABLE) <= set(error_kinds())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "#"),
        ("payload", "#/payload"),
        ("payload.component[0].code", "#/payload/component/0/code"),
        ("a/b", "#/a~1b"),
    ],
)
def test_a_path_becomes_a_json_pointer(path: str, expected: str) -> None:
    assert pointer(path) == expected
