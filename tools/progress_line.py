"""A pytest plugin: with several processes (pytest -n), one line says how far the tests are, instead of 10,000 dots.

On a terminal the line is written over; in a log a new one is written at every tenth of the tests. A failure is named as soon
as it is known. One process (plain pytest, or -n 0) prints what pytest always prints, and so do -v and -q.
"""

import time

import pytest


class ProgressLine:
    """Counts the tests that are done, and prints the count."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.start = time.monotonic()
        self.done = self.failed = self.printed = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Return the category of a test that passed or was skipped, without its letter."""
        if report.passed:
            return "passed" if report.when == "call" else "", "", ""
        return ("skipped", "", "") if report.skipped else None

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
        """Write the line, if a tenth of the tests is done since the last time, or on a terminal a second is over."""
        total = max(self.terminal._session.testscollected, self.done)
        seconds = time.monotonic() - self.start
        now = int(seconds) if self.terminal.isatty() else 10 * self.done // total
        if now == self.printed and self.done < total:
            return
        self.printed = now
        line = f"{self.done} of {total} tests, {self.failed} failed, {seconds:.0f} s"
        self._write(line, keep=self.done == total or not self.terminal.isatty())

    def _write(self, line: str, *, keep: bool) -> None:
        """Write over the line of the terminal; in a log, write a line."""
        if self.terminal.isatty():
            self.terminal.rewrite(line, erase=True)
        else:
            self.terminal.write(line)
        if keep:
            self.terminal.line("")
        self.terminal.flush()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Print the line in the process that hands out the tests, unless it is to say more or less."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    several = getattr(config.option, "numprocesses", None)
    if terminal is not None and several and config.option.verbose == 0:
        terminal._show_progress_info = False
        config.pluginmanager.register(ProgressLine(terminal), "progress_line")
