"""Facts that restart a search only grow, and are the same by number and by name."""

from __future__ import annotations

import pytest

from syncsim.virtual.model.discoveries import Discoveries, NamedDiscoveries
from syncsim.virtual.model.states import Name, PlaceOfData

pytestmark = pytest.mark.once

KINDS = NamedDiscoveries._fields
OF_ACTORS = ("exit_observed", "killable")


def name_of_actor(actor: int) -> Name:
    return Name((actor,))


def name_of_atom(atom: int) -> str:
    return f"atom {atom}"


def named(kind: str, number: int) -> NamedDiscoveries:
    name = name_of_actor(number) if kind in OF_ACTORS else name_of_atom(number)
    return NamedDiscoveries(**{kind: frozenset({name})})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_each_new_fact_counts_once_and_is_told_by_name(kind: str) -> None:
    discoveries = Discoveries()
    for _ in range(2):
        getattr(discoveries, kind).add(3)
        assert discoveries.number == 1
    assert discoveries.named(name_of_actor, name_of_atom) == named(kind, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_from_elsewhere_counts_before_and_after_its_actor_or_atom_is_met(kind: str) -> None:
    discoveries = Discoveries()
    discoveries.expect(named(kind, 3))
    assert discoveries.number == 1
    assert discoveries.named(name_of_actor, name_of_atom) == named(kind, 3)
    for number in (2, 3):
        discoveries.meet_actor(number, name_of_actor)
        discoveries.meet_atom(number, name_of_atom(number))
    assert getattr(discoveries, kind) == {3}
    assert discoveries.number == 1


def test_what_states_hold_besides_restarts_a_search_too() -> None:
    discoveries = Discoveries()
    discoveries.places.add(PlaceOfData.HISTORY)
    assert discoveries.number == 1
