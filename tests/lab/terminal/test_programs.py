"""Every command of the terminal, run in a real lab from a real node."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.events.kinds import AssociationRequested, CommandFinished
from sandbox.lab.lab import Lab
from sandbox.lab.terminal.disk import Disk, DiskError
from sandbox.lab.terminal.program import programs
from sandbox.lab.terminal.screen import CUT, LONGEST_LINE, MOST_LINES, MOST_PIPED, PIPE_CUT, Full, Screen, harmless
from sandbox.lab.terminal.sessions import Terminals
from sandbox.lab.terminal.shell import Shell
from sandbox.model.errors import ConflictError
from sandbox.network.plan import Action, FirewallRule
from tests.lab.support import do, until, wait_for
from tests.lab.terminal.support import scanned, typed

ROUTER = "-aet CT1 -aec ROUTER router 104"
ARCHIVE = "-aet WS1 -aec ARCHIVE archive 11112"
ALL = "-k QueryRetrieveLevel=STUDY -k PatientName -k StudyInstanceUID"

LINES: tuple[tuple[str, str, int, str], ...] = (
    ("CT1", "help", 0, "echoscu"),
    ("CT1", "help ping", 0, "Ask a host whether it is on"),
    ("CT1", "man findscu", 0, "--worklist"),
    ("CT1", "man nothing", 1, "No manual entry"),
    ("CT1", "history", 0, "history"),
    ("CT1", "echo  'a  b'", 0, "a  b"),
    ("CT1", f"echoscu -v {ROUTER}", 0, "I: Received Echo Response (Success)"),
    ("CT1", "echoscu router 104", 1, "F: Reason: Called AE Title Not Recognized"),
    ("CT1", "echoscu -aec ROUTER router 104", 1, "F: Reason: Calling AE Title Not Recognized"),
    ("CT1", "echoscu nowhere 104", 1, "Attempt to connect to unknown host: nowhere"),
    ("CT1", "echoscu mr1 105", 1, "TCP Initialization Error: Connection refused"),
    ("CT1", "echoscu --repeat 2 -v -aet CT1 -aec ROUTER router 104", 0, "MsgID 2"),
    ("WS1", f"findscu -S {ALL} {ARCHIVE}", 0, "I: Find Response: 1 (Pending)"),
    ("WS1", f"findscu {ALL} {ARCHIVE}", 2, "E: No Acceptable Presentation Contexts"),
    ("WS1", f"findscu -S -k Nothing=1 {ARCHIVE}", 0, "E: Bad override key/path: Nothing=1"),
    ("WS1", f"findscu -S {ALL} -k PatientName='Nobody*' -v {ARCHIVE}", 0, "Final Find Response (Success)"),
    ("WS1", f"movescu -S -aem NOBODY {ALL} {ARCHIVE}", 69, "W: Move response with error status"),
    ("CT1", "ping router", 0, "4 packets transmitted, 4 received, 0% packet loss"),
    ("CT1", "ping -c 1 nowhere", 2, "Name or service not known"),
    ("CT1", "traceroute archive", 0, "198.18.10.1"),
    ("CT1", "traceroute mr1", 0, " 1  mr1"),
    ("CT1", "nc -vz router 104", 0, "succeeded!"),
    ("CT1", "nc -vz mr1 105", 1, "Connection refused"),
    ("CT1", "nc -vz router 1-99999", 2, "no TCP port"),
    ("CT1", "telnet router 104", 0, "Connected to router."),
    ("CT1", "Test-NetConnection router -Port 104", 0, "TcpTestSucceeded : True"),
    ("CT1", "tnc mr1 -Port 105", 1, "TcpTestSucceeded : False"),
    ("CT1", "nslookup router", 0, "Address: 198.18.20.20"),
    ("CT1", "nslookup nowhere", 1, "NXDOMAIN"),
    ("CT1", "host 198.18.20.20", 0, "domain name pointer router"),
    ("CT1", "dig +short router", 0, "198.18.20.20"),
    ("CT1", "openssl s_client -connect router:104", 1, "does not speak TLS"),
    ("CT1", "openssl x509", 2, "only s_client"),
    ("CT1", "hostname -f", 0, "ct1.riverside.example"),
    ("CT1", "ip addr", 0, "198.18.10.11/24"),
    ("CT1", "ip route", 0, "default via 198.18.10.1"),
    ("CT1", "netstat -an", 0, "LISTEN   198.18.10.11:104"),
    ("CT1", "date", 0, "20"),
    ("CT1", "ntpq -p", 0, "time.riverside.example"),
    ("ARCHIVE", "df -h", 0, "/images"),
    ("CT1", "status", 0, "running"),
    ("CT1", "pwd", 0, "/"),
    ("CT1", "ls", 0, "images/"),
    ("CT1", "ls nothing", 1, "No such file or directory"),
    ("CT1", "cd nothing", 1, "No such file or directory"),
    ("CT1", "cat log/node.log | head -3", 0, "INFO"),
    ("CT1", "cat log", 1, "Is a directory"),
    ("CT1", "cat etc/hosts", 0, "ct1.riverside.example"),
    ("CT1", "grep -c ae_title config/running.json", 0, "3"),
    ("CT1", "cat config/running.json | grep '\"port\"' | sort -u | wc -l", 0, ""),
    ("CT1", "cat config/saved.json | grep nothing-of-the-kind", 1, ""),
    ("CT1", "tail -2 log/node.log | uniq -c", 0, "1 "),
    ("CT1", "rm log/node.log", 1, "Read-only file system"),
    ("CT1", "cp log/node.log etc/copy", 1, "Read-only file system"),
    ("CT1", "dcmdump nothing.dcm", 1, "E: dcmdump: No such file or directory: reading file: nothing.dcm"),
    ("CT1", "dcmdump log/node.log", 1, "E: dcmdump: "),
    ("CT1", f"storescu {ROUTER} nothing.dcm", 1, "F: cannot access file: nothing.dcm"),
    ("CT1", f"storescu {ROUTER}", 1, "error: Missing parameter dcmfile-in"),
    ("CT1", "dcmodify -m PatientID=1 log/node.log", 1, "E: unable to load file log/node.log"),
    ("CT1", "pnig router", 127, "Did you mean 'ping'?"),
    ("CT1", "cat log/node.log | echoscu", 2, "cannot stand after a |"),
    ("CT1", "ls > x", 2, "cannot be written"),
)


@pytest.mark.parametrize(("node", "line", "status", "said"), LINES, ids=[line for _, line, *_ in LINES])
def test_a_line(lab: Lab, node: str, line: str, status: int, said: str) -> None:
    output = typed(lab, node, line)
    assert (output.status, said in output.text) == (status, True), output.text


def test_every_command_is_tried_here() -> None:
    tried = {stage.split()[0] for _, line, *_ in LINES for stage in line.split("|") if stage.split()}
    told = {
        name for program in programs().values() if tried & {program.name, *program.aliases} for name in [program.name]
    }
    assert set(programs()) - told == {"clear", "getscu"}, "those two have tests of their own below"


@pytest.mark.parametrize("name", programs())
def test_every_command_has_a_page_of_the_manual(lab: Lab, name: str) -> None:
    output = typed(lab, "CT1", f"man {name}")
    assert output.status == 0
    assert "Usage" in output.text
    assert programs()[name].summary


def test_a_study_from_query_to_copy_and_back(lab: Lab) -> None:
    study = scanned(lab)
    fetched = typed(lab, "WS1", f"getscu -v -S -k QueryRetrieveLevel=STUDY -k StudyInstanceUID={study} {ARCHIVE}")
    assert "Number of Failed Suboperations    : 0" in fetched.text
    assert fetched.status == 0
    name = typed(lab, "WS1", "ls work").text.splitlines()[0]
    assert typed(lab, "WS1", f"cp work/{name} work/copy.dcm").status == 0
    changed = typed(lab, "WS1", "dcmodify -m PatientName=TEST^ONE -i 0010,4000=hello -gin work/copy.dcm")
    assert (changed.status, changed.text) == (0, "")
    shown = typed(lab, "WS1", "dcmdump +P PatientName +P PatientComments work/copy.dcm").text
    assert "(0010,0010) PN [TEST^ONE]" in shown
    assert "(0010,4000) LT [hello]" in shown
    sent = typed(lab, "WS1", "storescu -v -aet WS1 -aec ARCHIVE archive 11112 work/copy.dcm")
    assert "I: Received Store Response (Success)" in sent.text
    assert typed(lab, "WS1", "dcmodify -e 0010,9999 work/copy.dcm").text.startswith("E: erasing tag in file")
    assert typed(lab, "WS1", "rm work/copy.dcm").status == 0
    moved = typed(lab, "WS1", f"movescu -v -S -aem WS1 -k 0008,0052=STUDY -k StudyInstanceUID={study} {ARCHIVE}")
    assert "I: Received Final Move Response (Success)" in moved.text


def test_files_of_a_node_are_named_as_people_look_for_them(lab: Lab) -> None:
    study = scanned(lab)
    store = lab.department.node("CT1").store
    assert store is not None
    found = store.study(study)
    assert found is not None
    folder = f"images/{found.study.patient_id}/{found.study.accession_number}"
    assert typed(lab, "CT1", f"ls {folder} | wc -l").text.strip() == "2"
    assert study in typed(lab, "CT1", f"dcmdump +P StudyInstanceUID {folder}/*.dcm").text
    assert typed(lab, "CT1", "pwd", folder).text == f"/{folder}"
    assert typed(lab, "CT1", "cd ..", folder).directory == f"/images/{found.study.patient_id}"
    assert typed(lab, "CT1", "pwd", "/no/such/place").text == "/"


def test_tab_completes_commands_files_hosts_and_options(lab: Lab) -> None:
    shell = Shell(lab, lab.department.node("CT1"), Screen())
    assert shell.complete("ech").words == ("echo ", "echoscu ")
    assert shell.complete("cat log/no").words == ("log/node.log ",)
    assert shell.complete("cat log/no").start == 4
    assert shell.complete("ping rou").words == ("router ",)
    assert shell.complete("echoscu -aec AR").words == ("ARCHIVE ",)
    assert "-aec " in shell.complete("echoscu -a").words
    assert shell.complete("cat x | gr").words == ("grep ",)


def test_what_is_typed_is_in_the_log_with_what_followed_from_it(lab: Lab) -> None:
    result = do(lab, "terminal.run", node="CT1", line=f"echoscu {ROUTER}")
    asked = wait_for(lab, lambda e: isinstance(e.body, AssociationRequested) and e.cause == result.event, result.event)
    assert asked.node == "CT1"
    assert result.association == asked.body.facts.id  # type: ignore[attr-defined]
    ended = wait_for(lab, lambda e: isinstance(e.body, CommandFinished) and e.cause == result.event, result.event)
    assert "echoscu" in ended.body.sentence  # type: ignore[attr-defined]


def test_a_line_that_waits_is_stopped_and_watched(lab: Lab) -> None:
    network = lab.department.network
    before = network.rules
    network.set_rules((FirewallRule(source="CT1", target="ROUTER", port=999, action=Action.DROP), *before))
    came: list[str] = []

    def wait() -> None:
        found = do(lab, "terminal.run", node="CT1", line="echoscu -v -to 100 router 999", run="mine").terminal
        assert found is not None
        came.append(f"{found.status} {found.text}")

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        until(lambda: "Requesting" in (lab.terminals.so_far("mine") or Screen().so_far()).text, "it runs")
        with pytest.raises(ConflictError):
            do(lab, "terminal.run", node="CT1", line="pwd", run="mine")
        assert do(lab, "terminal.cancel", run="mine").ok
        thread.join(20)
        assert came == ["130 I: Requesting Association\n^C"]
        assert lab.terminals.so_far("mine") is None
    finally:
        lab.terminals.cancel("mine")
        thread.join(20)
        network.set_rules(before)


def test_a_connection_that_nobody_answers_is_established(lab: Lab) -> None:
    silent = lab.department.network.listen("MR1", 999)

    def call() -> None:
        do(lab, "terminal.run", node="CT1", line="echoscu -ta 100 mr1 999", run="unanswered")

    thread = threading.Thread(target=call)
    position = len(lab.events)
    thread.start()
    try:
        wait_for(lab, lambda e: isinstance(e.body, AssociationRequested) and e.node == "CT1", position)
        (row,) = [row for row in typed(lab, "CT1", "ss").text.splitlines() if ":999 " in row]
        assert row.startswith("ESTAB ")
    finally:
        lab.terminals.cancel("unanswered")
        thread.join(20)
        silent.close()


def test_a_line_ends_at_the_time_limit() -> None:
    screen = Screen()
    with Terminals().running("one", screen, limit_s=0.05):
        until(lambda: bool(screen.ended_by), "the limit is reached")
    assert "time limit" in screen.ended_by


def test_output_is_bounded_and_holds_no_control_characters() -> None:
    with pytest.raises(Full):
        Screen().print("line\n" * (MOST_LINES + 1))
    assert harmless("a\x1b[31m\x00b\u202ec") == "a·[31m·b·c"
    assert len(harmless("x" * 100_000)) == LONGEST_LINE + 1


def test_the_end_of_a_long_log_comes_through_a_pipe(lab: Lab) -> None:
    node = lab.department.node("US1")
    for number in range(10_000):
        node.log("info", f"line {number}")
    found = typed(lab, "US1", "cat log/node.log | tail -20")
    assert [line.split()[-1] for line in found.text.splitlines()] == [str(number) for number in range(9_980, 10_000)]
    assert typed(lab, "US1", "cat log/node.log | grep -v nothing | wc -l").text.strip() == "5000"
    shown = typed(lab, "US1", "cat log/node.log").text.splitlines()
    assert (len(shown), shown[-1]) == (MOST_LINES + 1, CUT)


def test_what_is_too_much_for_a_pipe_is_said(lab: Lab) -> None:
    work = Disk(lab, lab.department.node("CT1")).writable("/work/lines")
    work.write_text("x\n" * (MOST_PIPED // 4))
    assert typed(lab, "CT1", f"cat {'work/lines ' * 4} | wc -l").text == str(MOST_PIPED)
    found = typed(lab, "CT1", f"cat {'work/lines ' * 5} | wc -l")
    assert found.text.splitlines() == [str(MOST_PIPED), PIPE_CUT]
    work.unlink()


HOSTILE = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            [
                "..",
                "/",
                "~",
                "images",
                "work",
                "etc",
                "tls",
                "*",
                "?",
                "[",
                "'",
                '"',
                "\\",
                "|",
                "\x00",
                "\n",
                "%s",
                "{}",
            ]
        ),
        max_size=12,
    ).map("".join),
)


@given(name=st.sampled_from(sorted(set(programs()) - {"ping", "nc", "telnet", "openssl"})), text=HOSTILE)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_breaks_the_terminal(lab: Lab, name: str, text: str) -> None:
    output = typed(lab, "CT1", f"{name} {text}"[:1900])
    assert output.status is not None
    assert "failed inside the sandbox" not in output.text
    assert all(letter.isprintable() or letter == "\n" for letter in output.text)


@given(path=HOSTILE)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_leads_out_of_the_nodes_own_files(lab: Lab, path: str) -> None:
    node = lab.department.node("CT1")
    disk = Disk(lab, node)
    inside = node.context.directory.resolve()
    absolute = disk.absolute(path, "/work")
    for reach in (disk.writable, disk.find):
        try:
            found = reach(absolute)
        except DiskError:
            continue
        place = found if isinstance(found, Path) else getattr(found, "path", None)
        assert place is None or place.resolve().is_relative_to(inside)


def test_a_private_key_is_nobodys_to_read(lab: Lab) -> None:
    lab.department.node("MR1").tls.ready()
    assert typed(lab, "MR1", "cat tls/certificate.pem").text.startswith("-----BEGIN CERTIFICATE")
    assert typed(lab, "MR1", "cat tls/key.pem").text == "cat: tls/key.pem: Permission denied"
    assert typed(lab, "MR1", "cp tls/key.pem work/key.pem").status == 1


def test_clear_wipes_the_screen(lab: Lab) -> None:
    assert typed(lab, "CT1", "clear").clears
