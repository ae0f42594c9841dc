"""The command line: quick help, errors in sentences, and what each command is for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pydicom.data
import pytest

from sandbox.cli import COMMANDS, cli
from sandbox.cli.doctor import TOOLS, examine, kind_of_system
from sandbox.cli.home import default_home
from sandbox.cli.reference import pages
from sandbox.model.view import CommandResult, ReadyLine
from tests.cli.conftest import Call

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from sandbox.cli import main; sys.argv = ['pacs-sandbox', '--help'];\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pydicom', 'pynetdicom', 'flask', 'sqlalchemy', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, line) in COMMANDS.items():
        assert name in done.stdout
        assert line.split()[0] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_explains_itself(name: str) -> None:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.help
    for child in getattr(command, "commands", {}).values():
        assert child.help
        for parameter in child.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {child.name} {parameter.name}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lab", "run", "--site", "nowhere"), "There is no site 'nowhere'"),
        (("lab", "run", "--scenario", "nothing"), "nothing"),
        (("lab", "run", "--collection", "none"), "no collection"),
        (("echo", "ARCHIVE"), "No lab is running"),
        (("echo", "ARCHIVE@127.0.0.1"), "AET@HOST:PORT"),
        (("echo", "X" * 17 + "@127.0.0.1:104"), "17 characters"),
        (("find", "A@127.0.0.1:1", "-k", "PatientID"), "KEYWORD=VALUE"),
        (("find", "A@127.0.0.1:1", "-k", "Nonsense=1"), "Nonsense"),
        (("send", "A@127.0.0.1:1"), "nothing to send"),
        (("import",), "no folder"),
        (("scenario", "show", "nothing"), "nothing"),
        (("archive", "serve", "--aet", "A", "--port", "0", "--store", "x", "--remote", "nonsense"), "AET=HOST:PORT"),
        (("archive", "serve", "--aet", "X" * 17, "--port", "0", "--store", "x"), "17 characters"),
        (("no-such-command",), "No such command"),
        (("lab", "run", "--seed", "many"), "many"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_what_a_person_can_mend_is_told_in_a_sentence(call: Call, arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments)
    assert done.returncode == 2, done
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_peer_that_is_not_there_is_a_result(call: Call) -> None:
    done = call("echo", "ARCHIVE@127.0.0.1:1")
    assert done.returncode == 1
    assert "connection refused" in done.stdout
    done = call("echo", "ARCHIVE@198.18.20.30:11112", "--json")
    assert done.returncode == 1
    assert not CommandResult.model_validate_json(done.stdout).ok


def test_a_node_is_called_from_outside_and_from_a_node(ask: Call, running: ReadyLine) -> None:
    stranger = ask("echo", "ARCHIVE")
    assert stranger.returncode == 1
    assert "calling AE title" in stranger.stdout
    known = ask("echo", "ARCHIVE", "--calling", "WS1")
    assert known.returncode == 0, known
    assert "answered" in known.stdout
    inside = ask("echo", "ARCHIVE", "--from", "WS1")
    assert "archive.riverside.example:11112" in inside.stdout
    written = ask("echo", "ARCHIVE@198.18.20.30:11112", "--from", "WS1", "--lab", running.lab)
    assert written.returncode == 0, written
    assert ask("echo", "NOBODY").returncode == 2
    assert ask("echo", "ARCHIVE", "--lab", "no-such-lab").returncode == 2


def test_find_prints_a_table(ask: Call, running: ReadyLine) -> None:
    outside = ask("find", "ARCHIVE", "--calling", "WS1", "-k", "PatientName=*")
    assert outside.returncode == 0, outside
    assert "PatientName" in outside.stdout
    assert len(outside.stdout.splitlines()) > 10
    inside = ask("find", "ARCHIVE", "--from", "WS1", "-k", "PatientName=*", "--json")
    answer = CommandResult.model_validate_json(inside.stdout)
    assert len(answer.rows) > 5


def test_files_are_sent_and_moved_on(ask: Call, running: ReadyLine) -> None:
    path = pydicom.data.get_testdata_file("CT_small.dcm")
    sent = ask("send", "ARCHIVE", str(path), "--calling", "ROUTER")
    assert sent.returncode == 0, sent
    assert "1 of 1 image sent" in sent.stdout
    study = pydicom.dcmread(path).StudyInstanceUID
    moved = ask("move", "ARCHIVE", "--to", "WS1", "-k", f"StudyInstanceUID={study}", "--calling", "WS1")
    assert moved.returncode == 0, moved
    unknown = ask("move", "ARCHIVE", "--to", "NOBODY", "-k", f"StudyInstanceUID={study}", "--calling", "WS1")
    assert unknown.returncode == 1
    again = ask("send", "ROUTER", "--from", "CT1", "--study", str(study))
    assert again.returncode == 2
    assert "does not have this study" in again.stderr


def test_running_labs_are_listed(ask: Call, running: ReadyLine) -> None:
    assert [each["lab"] for each in json.loads(ask("lab", "list", "--json").stdout)] == [running.lab]
    assert running.lab in ask("lab", "list").stdout


def test_a_folder_is_imported_and_new_labs_hold_it(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "Our Studies"
    folder.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        (folder / name).write_bytes(Path(str(pydicom.data.get_testdata_file(name))).read_bytes())
    (folder / "readme.txt").write_text("no image")
    done = call("import", str(folder))
    assert done.returncode == 0, done
    assert "readme.txt" in done.stdout
    assert "2 images of 2 patients" in done.stdout
    assert "Our-Studies" in done.stdout
    assert call("import", str(folder)).returncode == 2
    home = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", "lab", "run", "--json", "--home", str(home)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        nodes = {node.name: node for node in ReadyLine.model_validate_json(process.stdout.readline()).nodes}
        process.terminate()
    assert call("import", "--forget").returncode == 0
    priors = 14
    assert nodes["ARCHIVE"].counts.patients == priors + 2


def test_the_archive_serves_alone(tmp_path: Path, call: Call) -> None:
    arguments = ["archive", "serve", "--aet", "MINI", "--port", "0", "--store", str(tmp_path / "store"), "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        done = call("echo", f"MINI@127.0.0.1:{told['port']}")
        process.terminate()
        assert process.wait(10) == 0
    assert done.returncode == 0, done


def test_the_archive_serves_dicomweb_too(tmp_path: Path, call: Call) -> None:
    arguments = ["archive", "serve", "--aet", "MINI", "--port", "0", "--store", str(tmp_path / "store"), "--json"]
    web = ["--http-port", "0", "--http-token", "s3cret", "--cors", "http://localhost:3000"]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", *arguments, *web],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        headers = {"Authorization": "Bearer s3cret", "Origin": "http://localhost:3000"}
        answer = httpx.get(f"{told['dicomweb']}/studies", headers=headers)
        process.terminate()
        assert process.wait(10) == 0
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    for wrong, words in (
        (["--http-token", "x"], "Give --http-port as well."),
        (["--http-port", "0", "--host", "0.0.0.0"], "Give a token"),
        (["--http-port", "0", "--cors", "x"], "is no origin"),
    ):
        done = call(*arguments, *wrong)
        assert done.returncode != 0
        assert words in done.stderr


def test_sites_are_listed_and_linted(call: Call, tmp_path: Path) -> None:
    assert "riverside" in call("site", "list").stdout
    assert call("site", "lint").returncode == 0
    broken = tmp_path / "broken.toml"
    broken.write_text('title = "x"')
    done = call("site", "lint", str(broken))
    assert done.returncode == 1
    assert done.stdout.startswith("broken.toml")


def test_the_doctor_knows_how_to_get_what_is_missing(tmp_path: Path) -> None:
    for system in ("debian", "fedora", "macos", "windows"):
        findings = {finding.name: finding for finding in examine(tmp_path, 0, which=lambda name: None, system=system)}
        assert findings["Python"].ok
        assert findings["Home"].ok
        for tool in TOOLS:
            assert not findings[tool.name].ok
            assert tool.get[system] in findings[tool.name].mend
    assert all(finding.ok for finding in examine(tmp_path, 0, which=lambda name: f"/usr/bin/{name}") if finding.needed)


def test_the_doctor_sees_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    findings = {finding.name: finding for finding in examine(blocked / "home", 0)}
    assert not findings["Home"].ok


@pytest.mark.parametrize(("words", "kind"), [("ID=debian", "debian"), ("ID=fedora", "fedora"), ("ID=rhel", "fedora")])
def test_the_kind_of_system(tmp_path: Path, words: str, kind: str) -> None:
    release = tmp_path / "os-release"
    release.write_text(words)
    assert kind_of_system(release) == kind
    assert kind_of_system(tmp_path / "none") == "debian"


def test_doctor_prints_and_ends_well(call: Call) -> None:
    done = call("doctor", "--port", "0")
    assert done.returncode == 0, done
    assert "Python" in done.stdout
    assert {"name", "ok", "sentence"} <= set(json.loads(call("doctor", "--json", "--port", "0").stdout)[0])


@pytest.mark.parametrize("name", pages())
def test_the_reference_is_current(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run `make reference`"


def test_every_page_of_the_reference_is_made() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == set(pages())


def test_the_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PACS_SANDBOX_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("PACS_SANDBOX_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert default_home() == tmp_path / "pacs-sandbox"


def test_a_console_that_others_could_reach_wants_an_account(call: Call) -> None:
    done = call("up", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "account" in done.stderr
