# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures that give a test its machine, and what a failing test shows of it.

lab         a machine of its own, as fresh as after installing the product
lab_shared  one machine for all tests of a module: for tests that only look, or that clean up

@pytest.mark.machine("no-iommu") on a test, or as the module's pytestmark, asks for another shape than two-gpu.
"""

import contextlib

import pytest

from vxmlab.machine import Machine

# The machines that run right now.
_machines = []

# What a failing test shows of each: a heading and the lab's shell line, which gets the test's begin as $1.
_EVIDENCE = {
    "units": "systemctl list-units --plain --legend=no --all 'vxm-*'; systemctl list-jobs --legend=no",
    "journal": "journalctl --sync; journalctl -q -n 40 --since $1 --no-hostname -o short-precise "
               "_TRANSPORT=stdout + _TRANSPORT=journal",
    "kernel": "journalctl -q -k -n 20 --since $1 --no-hostname -o short-precise",
}


def pytest_configure(config):
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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for machine in _machines:
            report.sections += _evidence(machine)


def _evidence(machine):
    """What the machine has to say for itself, each part bounded in lines and in time; it may be dead."""
    for heading, command in _EVIDENCE.items():
        try:
            text = machine.run(["sh", "-c", command, "sh", f"@{machine.began:.0f}"], check=False, timeout=20).stdout
        except Exception as error:  # whatever it is, the test's own failure is the news
            console = "\n".join(machine.console_log.splitlines()[-15:])
            yield "the lab's console", f"{console}\n(no {heading} to be had: {error})"
            return
        yield "the lab's " + heading, text
