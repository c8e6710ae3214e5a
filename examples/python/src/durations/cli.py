"""The command `durations`."""

from __future__ import annotations

import click

from durations import DurationError, parse, write


@click.command()
@click.argument("value", nargs=-1, required=True)
@click.version_option(package_name="durations")
def main(value: tuple[str, ...]) -> None:
    """Print each duration in seconds, and each number of seconds as a duration."""
    for one in value:
        try:
            click.echo(write(int(one)) if one.isdecimal() else parse(one))
        except DurationError as error:
            raise click.ClickException(str(error)) from error
