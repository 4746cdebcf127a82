"""Commands about templates: ``template list|show|check|add``."""

from __future__ import annotations

from pathlib import Path

import click
import yaml
from rich.table import Table

from handshaker.cli.output import as_option, console, credential, failing, json_option, opened, print_json
from handshaker.errors import RoleNotAllowed, TemplateUnknown
from handshaker.messages import Json, Template

_ORDER = (
    *("name", "version", "title", "description", "contract", "function", "roles", "action", "category", "purpose"),
    *("resource_type", "payload", "rules", "plausibility", "covers", "statement", "off_chain", "sentence", "lifetime"),
)
"""The order in which people write a template; an example comes last."""


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
    ordered = {key: document[key] for key in (*_ORDER, *document) if key in document}
    if as_json:
        print_json({**ordered, "versions": list(versions)})
    else:
        width = max(60, min(console.width, 110))
        click.echo(yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=width), nl=False)


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
            f"Keep it: handshaker template add {file} --as administrator",
            soft_wrap=True,
        )


@template.command("add")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_option
@json_option
@failing
def template_add(file: Path, person: str | None, as_json: bool) -> None:
    """Check a template FILE and add it. Administrators only; a template that was added never changes."""
    with opened() as handshaker:
        who = credential(handshaker, person)
        if "administer" not in who.scopes or who.actor.role != "administrator" or not who.actor.active:
            raise RoleNotAllowed("Only administrators add templates.", role=who.actor.role, allowed=["administrator"])
        handshaker.templates.check_file(file)
        added = handshaker.templates.add(handshaker.templates.load_file(file), who.actor.actor_id)
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
