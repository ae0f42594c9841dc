"""``pacs-sandbox archive``: the mini PACS alone, for anyone who needs an archive."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sandbox.cli.deferred import quick_start

if TYPE_CHECKING:
    from sandbox.archive.serve import RunningArchive

_MADE = "<!-- Made by `pacs-sandbox archive conformance --out docs/conformance-statement.md`; change the code. -->"
_PEM = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def archive() -> None:
    """Run the mini PACS alone."""


@archive.command()
@click.option("--aet", required=True, help="The archive's AE title.")
@click.option("--port", required=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--store", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where the images go.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--db", default="", help="SQLAlchemy URL of the index.  [default: SQLite in the store]")
@click.option(
    "--remote",
    "remotes",
    multiple=True,
    metavar="AET=[tls://]HOST:PORT",
    help="A move destination; repeat for more. With tls:// it is called over TLS.",
)
@click.option("--strict-calling", is_flag=True, help="Accept only the AE titles given with --remote.")
@click.option("--tls-port", type=click.IntRange(0, 65535), help="A second port, for TLS only; 0 takes any free one.")
@click.option("--cert", type=_PEM, help="This archive's certificate (PEM).")
@click.option("--key", type=_PEM, help="The certificate's private key (PEM, without a password).")
@click.option("--ca", type=_PEM, help="The authority that signs the certificates of others (PEM).")
@click.option("--require-client-cert", is_flag=True, help="TLS callers must show a certificate of that authority.")
@click.option("--audit/--no-audit", default=True, show_default=True, help="Keep an audit trail in the store.")
@click.option(
    "--audit-syslog",
    default="",
    metavar="[tls://]HOST:PORT",
    help="A syslog server that gets the audit trail too, over UDP or TLS.",
)
@click.option("--http-port", type=click.IntRange(0, 65535), help="Serve DICOMweb as well; 0 takes any free port.")
@click.option("--http-token", default="", help="Bearer token for DICOMweb; needed beyond this machine.")
@click.option(
    "--cors", "origins", multiple=True, metavar="ORIGIN", help="A web viewer's origin that may read; repeat for more."
)
@click.option("--json", "as_json", is_flag=True, help="First line: one JSON object with the address.")
@click.option("--quiet", is_flag=True, help="Do not log associations.")
def serve(
    aet: str,
    port: int,
    store: Path,
    host: str,
    db: str,
    remotes: tuple[str, ...],
    strict_calling: bool,
    tls_port: int | None,
    cert: Path | None,
    key: Path | None,
    ca: Path | None,
    require_client_cert: bool,
    audit: bool,
    audit_syslog: str,
    http_port: int | None,
    http_token: str,
    origins: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Serve C-ECHO, C-STORE, C-FIND, C-MOVE and C-GET, and DICOMweb if asked, until Ctrl-C or SIGTERM."""
    with quick_start():
        from pydantic import ValidationError

        from sandbox.archive.audit.sinks import SyslogTarget
        from sandbox.archive.serve import Remote, ServeOptions, serve_archive
        from sandbox.model.base import explain_validation
        from sandbox.model.config import ClientCertificates
        from sandbox.model.errors import BadInputError

        if http_port is None and (http_token or origins):
            raise BadInputError("--http-token and --cors are for DICOMweb.", "Give --http-port as well.")

        if not quiet:
            logging.basicConfig(
                stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
            )
            for name in ("sandbox.archive.serve", "sandbox.dicomweb"):
                logging.getLogger(name).setLevel(logging.INFO)
        try:
            options = ServeOptions(
                ae_title=aet,
                directory=store,
                host=host,
                port=port,
                url=db or None,
                remotes=tuple(Remote.parse(text) for text in remotes),
                strict_calling=strict_calling,
                tls_port=tls_port,
                certificate=cert,
                key=key,
                authority=ca,
                client_certificates=ClientCertificates.REQUIRED if require_client_cert else ClientCertificates.NONE,
                audit=audit,
                audit_syslog=SyslogTarget.parse(audit_syslog) if audit_syslog else None,
            )
        except ValidationError as wrong:
            raise explain_validation(wrong, "archive serve") from wrong
        running = serve_archive(options)
        dicomweb = ""
        if http_port is not None:
            try:
                dicomweb = _serve_dicomweb(running, host, http_port, http_token, origins)
            except BaseException:
                running.stop()
                raise

    def ready() -> None:
        told = running.describe().model_copy(update={"dicomweb": dicomweb})
        tls = f", with TLS at {told.host}:{told.tls_port}" if told.tls_port else ""
        web = f", with DICOMweb at {dicomweb}" if dicomweb else ""
        words = f"{told.ae_title} is at {told.host}:{told.port}{tls}{web}. Ctrl-C ends it."
        click.echo(told.model_dump_json() if as_json else words)
        sys.stdout.flush()

    running.wait(ready)


@archive.command()
@click.option(
    "--store", required=True, type=click.Path(path_type=Path, file_okay=False, exists=True), help="The store."
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many messages at most.")
@click.option("--xml", "as_xml", is_flag=True, help="The messages as they are, not in short.")
def audit(store: Path, limit: int, as_xml: bool) -> None:
    """Show the last messages of an archive's audit trail, the oldest first."""
    from collections import deque

    from sandbox.archive.audit.reading import last_lines
    from sandbox.archive.audit.sinks import AUDIT, read_lines

    directory = store / AUDIT if (store / AUDIT).is_dir() else store
    if as_xml:
        for text in deque(read_lines(directory), maxlen=limit):
            click.echo(text)
        return
    for line in last_lines(directory, limit):
        click.echo(line.sentence())


@archive.command()
@click.option("--aet", default="ARCHIVE", show_default=True, help="The archive's AE title.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=11112, show_default=True, type=click.IntRange(0, 65535), help="The port to state.")
@click.option("--remote", "remotes", multiple=True, metavar="AET=[tls://]HOST:PORT", help="As for `archive serve`.")
@click.option("--strict-calling", is_flag=True, help="Only the AE titles given with --remote are accepted.")
@click.option("--tls-port", type=click.IntRange(0, 65535), help="A second port, for TLS only.")
@click.option("--require-client-cert", is_flag=True, help="TLS callers must show a certificate.")
@click.option("--web/--no-web", default=True, show_default=True, help="DICOMweb is served as well.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
@click.option("--check", is_flag=True, help="Write nothing; end with status 1 when the file of --out is out of date.")
def conformance(
    aet: str,
    host: str,
    port: int,
    remotes: tuple[str, ...],
    strict_calling: bool,
    tls_port: int | None,
    require_client_cert: bool,
    web: bool,
    out: Path | None,
    check: bool,
) -> None:
    """Write the DICOM conformance statement of an archive with these options, in Markdown."""
    from pydantic import ValidationError

    from sandbox.archive.conformance.statement import statement
    from sandbox.archive.serve import Remote, ServeOptions
    from sandbox.dicomweb.conformance import web_section
    from sandbox.dicomweb.options import WebOptions
    from sandbox.model.base import explain_validation
    from sandbox.model.config import ClientCertificates
    from sandbox.model.errors import BadInputError

    try:
        options = ServeOptions(
            ae_title=aet,
            directory=Path(),
            host=host,
            port=port,
            remotes=tuple(Remote.parse(text) for text in remotes),
            strict_calling=strict_calling,
            tls_port=tls_port,
            client_certificates=ClientCertificates.REQUIRED if require_client_cert else ClientCertificates.NONE,
        )
    except ValidationError as wrong:
        raise explain_validation(wrong, "archive conformance") from wrong
    text = f"{_MADE}\n\n{statement(options, web_section(WebOptions()) if web else '')}"
    if check:
        if out is None:
            raise BadInputError("--check needs a file to compare with.", "Name it with --out.")
        if not out.is_file() or out.read_text(encoding="utf-8") != text:
            click.echo(f"{out} is out of date.", err=True)
            sys.exit(1)
    elif out is not None:
        out.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def _serve_dicomweb(running: RunningArchive, host: str, port: int, token: str, origins: tuple[str, ...]) -> str:
    """Serve the archive over HTTP too, until it stops; where."""
    from pydantic import ValidationError

    from sandbox.dicomweb.options import WebOptions
    from sandbox.dicomweb.server import serve_dicomweb
    from sandbox.model.base import explain_validation

    try:
        options = WebOptions(token=token, origins=origins)
    except ValidationError as wrong:
        raise explain_validation(wrong, "archive serve") from wrong
    web = serve_dicomweb(running.archive, host, port, options)
    running.stop_first(web.stop)
    return web.url
