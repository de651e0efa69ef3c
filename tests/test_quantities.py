"""Quantities in the spelling of the API server. The same table is put before a real one in tests/cluster."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.quantities import NANO, canonical

SPELLINGS = {
    "0": "0", "1": "1", "0.5": "500m", ".5": "500m", "1000m": "1", "1500m": "1500m", "250m": "250m", "1000": "1k", "1500": "1500",
    "1024": "1024", "1024Mi": "1Gi", "1000Mi": "1000Mi", "1.5Gi": "1536Mi", "0.5Gi": "512Mi", "512": "512", "1Ki": "1Ki",
    "1e3": "1e3", "12e1": "120", "1E3": "1e3", "1E": "1E", "100e1": "1e3", "1M": "1M", "1000k": "1M", "+1": "1", "1.0": "1",
    "0.1Ki": "102400m", "0.3Mi": "314572800m", "1n": "1m", "0.1n": "1m", "1u": "1m", "1000u": "1m", "1.25": "1250m", "2048Ki": "2Mi", "1000Ki": "1000Ki",
}  # fmt: skip


@pytest.mark.parametrize(("given_as", "stored"), SPELLINGS.items())
def test_is_spelled_as_it_is_stored(given_as: str, stored: str) -> None:
    assert canonical(given_as) == stored


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "1e", "--1", "1.2.3", "1KB", "Gi", "1e9999999", "1" * 90])
def test_what_is_no_quantity_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="must be a quantity"):
        canonical(text)


@pytest.mark.parametrize("text", ["1e58", "10E", "16Ei", "9223372036854775808"])
def test_what_is_beyond_every_machine_is_cut_and_no_error(text: str) -> None:
    assert canonical(text) == "9223372036854775807"


FINE = {"500u": "500u", "1n": "1n", "0.1n": "1n", "0.0005": "500u", "0.5": "500m", "1500000u": "1500m"}


@pytest.mark.parametrize(("given_as", "stored"), FINE.items())
def test_what_no_container_asks_for_keeps_its_billionths(given_as: str, stored: str) -> None:
    assert canonical(given_as, NANO) == stored


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi", "u", "e3"]))
def test_the_stored_spelling_is_stable(number: int, suffix: str) -> None:
    once = canonical(f"{number}{suffix}")
    assert canonical(once) == once
