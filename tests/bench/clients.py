"""What is asked of an archive: by dcmtk's tools, as its users do, and with a check of every answer.

Each call gives the seconds it took. A tool that fails, or an answer that is not the known one, is a WrongAnswerError:
an error of the run, not a fast time.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bare import STUDY_ROOT_FIND, BareAssociation, echo_once
from tests.bench.images import Question
from tests.bench.peers import AE_TITLE, FAST_ENVIRONMENT, SINK_TITLE, STOCK_ENVIRONMENT, free_port

TOOLS = ("storescu", "findscu", "movescu", "echoscu", "storescp")
_TIMEOUT_S = 120.0
_COMPLETED = re.compile(r"Completed Suboperations\s*:\s*(\d+)")
_FAILED = re.compile(r"Failed Suboperations\s*:\s*(\d+)")
_ANSWERS = re.compile(r"Find Response: \d+")
_REPEATS_AT_FIRST = 4
_MOST_REPEATS = 2000


class WrongAnswerError(Exception):
    """An archive did not do what was asked."""


def _run(arguments: Sequence[str], environment: Mapping[str, str] = FAST_ENVIRONMENT) -> tuple[float, str]:
    began = time.perf_counter()
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as late:
        raise WrongAnswerError(f"{arguments[0]} was not over within {_TIMEOUT_S:.0f} s") from late
    took = time.perf_counter() - began
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise WrongAnswerError(f"{' '.join(arguments[:8])} failed: {output[-400:].strip()}")
    return took, output


def _store_command(port: int, folder: Path) -> tuple[str, ...]:
    return (
        *("storescu", "--log-level", "fatal", "--required", "--max-pdu", "131072"),
        *("-aec", AE_TITLE, "--scan-directories", "127.0.0.1", str(port), str(folder)),
    )


def store(port: int, folder: Path) -> float:
    """C-STORE of a folder on one association; storescu stops and fails at the first status that is no success."""
    return _run(_store_command(port, folder))[0]


def store_with_nagle(port: int, folder: Path) -> float:
    """As ``store``, from a client as Debian has it: with Nagle's algorithm on."""
    return _run(_store_command(port, folder), STOCK_ENVIRONMENT)[0]


def store_at_once(port: int, folders: Sequence[Path]) -> float:
    """C-STORE of several folders, each on an association of its own at the same time."""
    began = time.perf_counter()
    pipe = subprocess.PIPE
    commands = [_store_command(port, folder) for folder in folders]
    running = [
        subprocess.Popen(command, env=FAST_ENVIRONMENT, stdout=pipe, stderr=subprocess.STDOUT) for command in commands
    ]
    outputs = [process.communicate(timeout=_TIMEOUT_S)[0] for process in running]
    took = time.perf_counter() - began
    for process, output in zip(running, outputs, strict=True):
        if process.returncode != 0:
            words = output[-400:].decode(errors="replace")
            raise WrongAnswerError(f"storescu ended with {process.returncode} {words}".strip())
    return took


def _find_command(port: int, keys: Sequence[str], *options: str) -> tuple[str, ...]:
    asked = [part for key in ("QueryRetrieveLevel=STUDY", "StudyInstanceUID", *keys) for part in ("-k", key)]
    return ("findscu", "-S", "-aec", AE_TITLE, *options, *asked, "127.0.0.1", str(port))


def check_find(port: int, question: Question) -> None:
    """Ask once and count the answers."""
    _, output = _run(_find_command(port, question.keys, "--verbose"))
    answers = len(_ANSWERS.findall(output))
    if answers != question.answers:
        raise WrongAnswerError(f"C-FIND {question.keys[0]}: {answers} answers instead of {question.answers}")


def find(port: int, question: Question, budget_s: float) -> float:
    """Seconds for one C-FIND, of many on one association."""
    check_find(port, question)

    def ask(times: int) -> float:
        return _run(_find_command(port, question.keys, "--log-level", "fatal", "--repeat", str(times)))[0]

    took = _each(ask, budget_s)
    check_find(port, question)
    return took


def find_bare(port: int, question: Question, budget_s: float) -> float:
    """Seconds for one C-FIND from a bare requestor, of many on one association; every one is counted."""
    count, began = 0, time.perf_counter()
    try:
        with BareAssociation(port, AE_TITLE, STUDY_ROOT_FIND) as association:
            while (took := time.perf_counter() - began) < budget_s or not count:
                answers = association.find(question.keys)
                if answers != question.answers:
                    raise WrongAnswerError(
                        f"C-FIND {question.keys[0]}: {answers} answers instead of {question.answers}"
                    )
                count += 1
    except OSError as wrong:
        raise WrongAnswerError(f"C-FIND: {wrong}") from wrong
    return took / count


def move(port: int, study: str, count: int, budget_s: float) -> float:
    """Seconds for one C-MOVE of a study to the sink, of several on one association; every instance must arrive."""

    def command(*options: str) -> tuple[str, ...]:
        keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")
        return ("movescu", "-S", "-aec", AE_TITLE, "-aem", SINK_TITLE, *options, *keys, "127.0.0.1", str(port))

    _, output = _run(command("--debug"))
    completed, failed = _COMPLETED.findall(output), _FAILED.findall(output)
    if not completed or int(completed[-1]) != count or (failed and int(failed[-1])):
        raise WrongAnswerError(f"C-MOVE completed {completed[-1:]} of {count}, failed {failed[-1:]}")
    return _each(lambda times: _run(command("--log-level", "fatal", "--repeat", str(times)))[0], budget_s)


def _each(ask: Callable[[int], float], budget_s: float) -> float:
    """What one more costs: the difference of many and one, so that starting the tool does not count. Something that
    takes the budget alone is done once."""
    once = ask(1)
    if once > budget_s:
        return once
    estimate = max((ask(1 + _REPEATS_AT_FIRST) - once) / _REPEATS_AT_FIRST, 1e-5)
    repeats = max(_REPEATS_AT_FIRST, min(int(budget_s / estimate), _MOST_REPEATS))
    return max((ask(1 + repeats) - once) / repeats, 1e-6)


def echo_associations(port: int, budget_s: float) -> float:
    """Seconds for an association with one C-ECHO, from a bare requestor."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < budget_s:
        try:
            echo_once(port, AE_TITLE)
        except OSError as wrong:
            raise WrongAnswerError(f"C-ECHO: {wrong}") from wrong
        count += 1
    return took / count


def echo_stock(port: int, environment: Mapping[str, str] = FAST_ENVIRONMENT) -> float:
    """Seconds for echoscu to start, echo and end: the price of any dcmtk tool."""
    return _run(("echoscu", "-aec", AE_TITLE, "127.0.0.1", str(port)), environment)[0]


@contextmanager
def sink() -> Iterator[int]:
    """storescp that takes all and keeps nothing: where C-MOVE sends to. Gives its port."""
    port = free_port()
    process = subprocess.Popen(
        ("storescp", "--log-level", "fatal", "--ignore", "--max-pdu", "131072", "-aet", SINK_TITLE, str(port)),
        env=FAST_ENVIRONMENT,
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                echo_once(port, SINK_TITLE)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait()
