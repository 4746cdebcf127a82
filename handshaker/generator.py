"""The Transaction Generator: an initial transaction and its template become a contract call.

Pure: no I/O, no clock, no randomness. Whoever has the same three inputs builds the same bytes, so a statement can be
checked by anybody who may see its payload.
"""

from __future__ import annotations

from collections.abc import Mapping

from handshaker.commitments import canonical, commitment, verify_commitment
from handshaker.errors import MappingFailed
from handshaker.ethereum.statements import FieldValue, StatementType, statement_type
from handshaker.expressions import ExpressionInvalid, coerce, evaluate, expected
from handshaker.messages import Context, ContractCall, InitialTransaction, Json, Template
from handshaker.sentences import render
from handshaker.template_context import context_values

__all__ = ["TransactionGenerator", "canonical", "commitment", "verify_commitment"]


class TransactionGenerator:
    """TI + template → TC."""

    def generate(self, ti: InitialTransaction, template: Template, context: Context) -> ContractCall:
        """Return the contract call of ``ti``.

        Raises ``MappingFailed`` when an expression or the sentence does not work out for this payload, and
        ``ValueError`` when ``template`` is not the one that ``ti`` names.
        """
        if (ti.template, ti.template_version) != (template.name, template.version):
            raise ValueError(f"{ti.ti_id} names {ti.template}@{ti.template_version}, not {template.reference}")
        committed = commitment(ti.payload, context.preparation.salt)
        names = context_values(
            context,
            action=template.action,
            category=template.category,
            purpose=template.purpose,
            lifetime=template.lifetime,
            supersedes=ti.supersedes,
            commitment=committed,
        )
        sentence = _sentence(template, ti.payload, names, context)
        kind = statement_type(template.contract, template.function)
        values = field_values(kind, template.statement, ti.payload, names, sentence)
        words = kind.words(values)
        deadline = values.get("deadline")
        return ContractCall(
            contract=template.contract,
            function=template.function,
            words=words,
            statement_hash=kind.struct_hash(words),
            signer=str(names["signer"]),
            # A deadline of 0 is how a contract writes "none".
            deadline=deadline if isinstance(deadline, int) and deadline else None,
            terms=sentence if "terms" in values else None,
            sentence=sentence,
            commitment=committed,
            patient_id=context.patient.patient_id if context.patient else None,
        )


def field_values(
    kind: StatementType,
    statement: Mapping[str, str],
    payload: Mapping[str, Json],
    names: Mapping[str, Json],
    sentence: str,
) -> dict[str, FieldValue]:
    """Return the value of each field of the struct, coerced and checked; raises ``MappingFailed``."""
    scope = {"payload": payload, "context": {**names, "terms": sentence}}
    values = {}
    for field, abi_type in kind.fields:
        expression = statement[field]
        try:
            values[field] = coerce(evaluate(expression, scope), abi_type)
        except ExpressionInvalid as error:
            raise MappingFailed(
                f"The field {field} of {kind.name} wants {expected(abi_type)}, but `{expression}` {error}.",
                field=field,
                expected=abi_type,
                expression=expression,
            ) from None
    return values


def _sentence(template: Template, payload: Mapping[str, Json], names: Mapping[str, Json], context: Context) -> str:
    try:
        sentence = render(template.sentence, payload, names, context.preparation.salt)
    except ExpressionInvalid as error:
        raise MappingFailed(
            f"The sentence of {template.reference} cannot be written: {error}.",
            field="sentence",
            expected="text",
            expression=template.sentence,
        ) from None
    # Without its random end, the hash of a sentence on the chain could be guessed.
    if "terms" in template.statement and context.preparation.reference not in sentence:
        raise MappingFailed(
            f"The sentence of {template.reference} does not end in the reference.",
            field="sentence",
            expected="text with context.reference",
            expression=template.sentence,
        )
    return sentence
