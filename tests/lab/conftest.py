# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures that give a test its machine, and what a failing test shows of it.

lab         a machine of its own, as fresh as after installing the product
lab_shared  one machine for all tests of a module: for tests that only look, or that clean up
lab_shaped  the same for a module whose tests ask for several shapes: one after the other
tell        shows a text after all tests

@pytest.mark.machine("no-iommu") on a test, or as the module's pytestmark, asks for another shape than two-gpu.
"""

import collections
import contextlib
import itertools
import sys
import time
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))  # shapes.py

import demo
from vxmlab.machine import Machine

# The machines that run right now, and of the tests in which something has stopped answering, what that is.
_machines = []
_hung = {}

# What a failing test shows of each: a heading and the lab's shell line, which gets the test's begin as $1.
_EVIDENCE = {
    "units": "systemctl list-units --plain --legend=no --all 'vxm-*'; systemctl list-jobs --legend=no",
    "journal": "journalctl --sync; journalctl -q -n 40 --since $1 --no-hostname -o short-precise "
               "_TRANSPORT=stdout + _TRANSPORT=journal",
    "kernel": "journalctl -q -k -n 20 --since $1 --no-hostname -o short-precise",
}


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(items):
    """Tests that share a machine stay together when several machines run at once. Those that take long come first, then the first
    test of each file, then the second of each: where time is short, each file has its share of it."""
    places = collections.defaultdict(itertools.count)
    together = {}
    order = {}
    for item in items:
        place = next(places[item.module])
        if not {"lab_shared", "lab_shaped"}.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
            place = together.setdefault(item.module, place)
        order[item] = (not item.get_closest_marker("slow"), place)
    items.sort(key=order.get)


def pytest_addoption(parser):
    parser.addoption("--minutes", type=float, help="begin no test after so many minutes")


_began = time.monotonic()


@pytest.hookimpl(tryfirst=True)  # before anything is prepared for the test
def pytest_runtest_setup(item):
    minutes = item.config.getoption("minutes")
    if minutes and time.monotonic() - _began > minutes * 60:
        pytest.skip(f"the {minutes:g} minutes that were given are over; without --minutes, this runs, too")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes")
    config.addinivalue_line("markers", "machine(shape): the shape of the test's machine, one of tests/lab/machines")


@contextlib.contextmanager
def _machine(node):
    marker = node.get_closest_marker("machine")
    with Machine(*(marker.args if marker else ())) as machine:
        _machines.append(machine)
        try:
            yield machine
        finally:
            _machines.remove(machine)


@pytest.fixture
def lab(request):
    with _machine(request.node) as machine:
        yield machine


@pytest.fixture(scope="module")
def lab_shared(request):
    with _machine(request.node) as machine:
        yield machine


@pytest.fixture(scope="module")
def _shaped():
    """The machine that the module's tests share right now, by its shape: another shape takes its place."""
    with contextlib.ExitStack() as stack:
        yield {"stack": stack, "shape": None, "machine": None}


@pytest.fixture
def lab_shaped(request, _shaped):
    marker = request.node.get_closest_marker("machine")
    shape = marker.args if marker else ()
    if _shaped["machine"] is None or _shaped["shape"] != shape:
        _shaped["stack"].close()
        _shaped["machine"] = _shaped["stack"].enter_context(_machine(request.node))
        _shaped["shape"] = shape
    return _shaped["machine"]


def pytest_terminal_summary(terminalreporter):
    """What tests have to tell besides their outcome, see tell()."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for text in (text for name, text in getattr(report, "user_properties", ()) if name == "told" and report.when == "call"):
                terminalreporter.line(f"{report.nodeid}: {text}")


@pytest.fixture
def tell(request):
    """Called with a text: it is shown after all tests."""
    return lambda text: request.node.user_properties.append(("told", text))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Repeats a test, twice at most, when its machine or a guest in it has hung, and says so: emulating a processor that runs a
    guest of its own, QEMU loses an interrupt now and then on a busy host. What hangs because of the product hangs each time.
    """
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for _ in range(2):
        if item.nodeid not in _hung:
            break
        _forget_machines(item)
        item.user_properties.append(("told", f"{_hung.pop(item.nodeid)} hung or was lost, so it was run once more, with another machine"))
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if _hung.pop(item.nodeid, None):
        _forget_machines(item)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _forget_machines(item):
    """Ends what the module's tests share, so that the next one gets a machine that answers."""
    with contextlib.suppress(Exception):  # of fixtures that clean up in a machine which does not
        item.session._setupstate.teardown_exact(None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        if call.excinfo.errisinstance(demo.GuestHung):
            _hung[item.nodeid] = "the guest"
        for machine in _machines:
            report.sections += _loss(item, machine) if machine.lost else _evidence(item, machine)


def _loss(item, machine):
    """What the console showed last before the connection broke off."""
    _hung[item.nodeid] = "the lab's machine"
    before = machine.console_log.rpartition("] Linux version")[0] or machine.console_log
    yield "the lab's console", "\n".join(before.splitlines()[-25:])


def _evidence(item, machine):
    """What the machine has to say for itself, each part bounded in lines and in time; it may be dead."""
    for heading, command in _EVIDENCE.items():
        try:
            text = machine.run(["sh", "-c", command, "sh", f"@{machine.began:.0f}"], check=False, timeout=60).stdout
        except Exception as error:  # whatever it is, the test's own failure is the news
            _hung[item.nodeid] = "the lab's machine"
            console = "\n".join(machine.console_log.splitlines()[-15:])
            yield "the lab's console", f"{console}\n(no {heading} to be had: {error})"
            return
        yield "the lab's " + heading, text
