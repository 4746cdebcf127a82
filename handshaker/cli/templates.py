"""Commands about templates: ``template list|show|check|add|proposals|approve``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from handshaker.cli.output import as_option, console, credential, failing, json_option, opened, print_json
from handshaker.errors import TemplateUnknown
from handshaker.messages import Json, Template
from handshaker.template_files import as_yaml
from handshaker.template_review import Proposal, check_administrator


@click.group(short_help="Read, try and add templates.")
def template() -> None:
    """Read, try and add templates: what a TI can ask for."""


@template.command("list")
@json_option
@failing
def template_list(as_json: bool) -> None:
    """List the newest version of each template."""
    with opened() as handshaker:
        templates = handshaker.templates.list()
    if as_json:
        print_json([_summary(each) for each in templates])
        return
    table = Table(header_style="bold", show_lines=True)
    table.add_column("template", overflow="fold")
    table.add_column("roles")
    table.add_column("contract call\ncategory", no_wrap=True)
    for each in templates:
        call = f"{each.contract}.{each.function}"
        table.add_row(
            f"{each.reference}\n[dim]{each.title}[/]", "\n".join(each.roles), f"{call}\n[dim]{each.category or ''}[/]"
        )
    console.print(table)
    console.print("One of them, with its form and an example: `handshaker template show NAME`.")


@template.command("show", short_help="Show a template.")
@click.argument("name")
@json_option
@failing
def template_show(name: str, as_json: bool) -> None:
    """Show a template (NAME or NAME@VERSION) as it was added, with an example payload."""
    base, at, version = name.partition("@")
    if at and not (version.isascii() and version.isdigit()):
        raise TemplateUnknown(f"There is no template {name[:90]}: a version is a number.", name=base, version=version)
    with opened() as handshaker:
        document = handshaker.templates.document(base, int(version) if at else None)
        versions = handshaker.templates.versions(base)
    if as_json:
        print_json({**document, "versions": list(versions)})
    else:
        click.echo(as_yaml(document, width=max(60, min(console.width, 110))), nl=False)


@template.command("check", short_help="Try a template without adding it.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@failing
def template_check(file: Path, as_json: bool) -> None:
    """Try a template FILE (YAML or JSON) against its own rules and the contracts' ABI, without adding it."""
    with opened() as handshaker:
        checked = handshaker.templates.check_file(file)
    if as_json:
        print_json(_summary(checked))
    else:
        console.print(
            f"{checked.reference} fits {checked.contract}.{checked.function}. "
            f"Propose it: handshaker template add {file} --as administrator",
            soft_wrap=True,
        )


@template.command("add", short_help="Propose a template.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_option
@json_option
@failing
def template_add(file: Path, person: str | None, as_json: bool) -> None:
    """Check a template FILE and propose it; once a second administrator approves, it is there and never changes."""
    with opened() as handshaker:
        who = credential(handshaker, person)
        check_administrator(who)
        handshaker.templates.check_file(file)
        proposal = handshaker.reviews.propose(who, handshaker.templates.load_file(file))
    if as_json:
        print_json(_proposal_json(proposal))
    else:
        console.print(
            f"{proposal.reference} is proposed. Another administrator approves it: "
            f"handshaker template approve {proposal.reference} --as second-administrator",
            soft_wrap=True,
        )


@template.command("proposals", short_help="List the templates that wait for approval.")
@json_option
@failing
def template_proposals(as_json: bool) -> None:
    """List the templates that one administrator proposed and a second one has to approve."""
    with opened() as handshaker:
        proposals = handshaker.reviews.open()
    if as_json:
        print_json([_proposal_json(each) for each in proposals])
        return
    for each in proposals:
        at = each.proposed_at.strftime("%Y-%m-%d %H:%M UTC")
        console.print(f"{each.reference}  [dim]by {each.proposer_name} on {at}[/]", soft_wrap=True)
    if not proposals:
        console.print("No template waits for approval.")


@template.command("approve", short_help="Approve what another administrator proposed.")
@click.argument("reference", metavar="NAME@VERSION")
@as_option
@json_option
@failing
def template_approve(reference: str, person: str | None, as_json: bool) -> None:
    """Approve the template NAME@VERSION that another administrator proposed: from now on it can be used."""
    with opened() as handshaker:
        who = credential(handshaker, person)
        check_administrator(who)
        added = handshaker.reviews.approve(who, handshaker.reviews.find(reference).proposal_id)
    if as_json:
        print_json(_summary(added))
    else:
        console.print(
            f"{added.reference} is there. Try it: handshaker submit {added.name} PAYLOAD.json …", soft_wrap=True
        )


def _summary(each: Template) -> dict[str, Json]:
    return {
        "name": each.name,
        "version": each.version,
        "title": each.title,
        "contract": each.contract,
        "function": each.function,
        "roles": list(each.roles),
        "category": each.category,
        "purpose": each.purpose.name if each.purpose is not None else None,
        "digest": each.digest,
    }


def _proposal_json(each: Proposal) -> dict[str, Json]:
    return {
        "proposal": each.proposal_id,
        "name": each.name,
        "version": each.version,
        "digest": each.digest,
        "proposedBy": each.proposed_by,
        "proposedAt": each.proposed_at.isoformat(),
    }
