"""Pages of the built site load: from a server, and as files without one."""

import pytest

PAGES = ("index.html", "chapters/03_through_time.html", "benchmarks/README.html")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_a_server_and_asks_for_nothing_elsewhere(visit, address, path):
    seen = visit(path)
    assert "derived and proved" in seen.page.title()
    assert seen.failed == [] and seen.outside(address) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opened_as_a_file_asks_for_nothing_elsewhere(visit, file_address, path):
    seen = visit(path, base=file_address)
    assert seen.failed == [] and seen.outside(file_address) == []
