"""A pytest plugin: with several processes (pytest -n), one line of progress instead of 10,000 dots.

A terminal shows one line, which changes; a log gets a new line after each tenth of the tests. A
failure is named as soon as it is known. One process (plain pytest, or -n 0) prints what pytest
always prints, and so do the options -v and -q.
"""

import time
from collections.abc import Generator

import pytest


class ProgressLine:
    """Counts the tests that are done, and prints the count."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.start = time.monotonic()
        self.done = self.failed = self.printed = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, tuple, tuple]:
        """Return the category of a test's report, without the letter that pytest would print."""
        category, *_ = yield
        return category, "", ""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Name a failure; count a test that is over."""
        if report.failed:
            self.failed += 1
            self._write(f"FAILED {report.nodeid}", keep=True)
        if report.when == "teardown":
            self.done += 1
            self._show()

    def _show(self) -> None:
        """Write the line after each tenth of the tests, or on a terminal after each second."""
        total = max(self.terminal._session.testscollected, self.done)
        seconds = time.monotonic() - self.start
        now = int(seconds) if self.terminal.isatty() else 10 * self.done // total
        if now == self.printed and self.done < total:
            return
        self.printed = now
        line = f"{self.done} of {total} tests, {self.failed} failed, {seconds:.0f} s"
        self._write(line, keep=self.done == total or not self.terminal.isatty())

    def _write(self, line: str, *, keep: bool) -> None:
        """Replace the line on a terminal; add a line to a log."""
        if self.terminal.isatty():
            self.terminal.rewrite(line, erase=True)
        else:
            self.terminal.write(line)
        if keep:
            self.terminal.line("")
        self.terminal.flush()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Print the line in the main process, unless -v or -q asks for more or less."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    several = getattr(config.option, "numprocesses", None)
    if terminal is not None and several and config.option.verbose == 0:
        terminal._show_progress_info = False
        config.pluginmanager.register(ProgressLine(terminal), "progress_line")
