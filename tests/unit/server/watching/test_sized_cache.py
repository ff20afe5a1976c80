"""Caches with a limit in bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from milepost.contract import limits
from milepost.contract.sized_cache import SizedCache
from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.watching.dropped_positions import DroppedPositions
from milepost.server.watching.job_criteria import JobCriteria
from milepost.v1 import JobFilter

LIMIT = 20

_steps = st.lists(
    st.tuples(st.sampled_from(["get", "put", "pop", "evict_idle"]), st.integers(0, 5), st.integers(0, 12))
)


@given(_steps)
def test_the_sum_of_the_sizes_is_bounded(steps: list[tuple[str, int, int]]) -> None:
    """The most recently used values stay, as many as fit; those go that were not used between two calls."""
    cache: SizedCache[int, int] = SizedCache(LIMIT)
    used: list[tuple[int, int, int]] = []  # key, value and size; the least recently used first
    before: list[tuple[int, int, int]] = []  # those that were not used since the last call
    for number, (action, key, size) in enumerate(steps):
        if action == "evict_idle":
            for _ in cache.evict_idle():
                pass
            used = [each for each in used if each not in before]
            before = list(used)
            assert (sum(size for *_, size in used), len(used)) == (cache.size, len(cache))
            continue
        found = next((each for each in used if each[0] == key), None)
        if found is not None:
            used.remove(found)
        before = [each for each in before if each != found]
        if action == "put":
            cache.put(key, number, size)
            used.append((key, number, size))
            while sum(size for *_, size in used) > LIMIT:
                before = [each for each in before if each != used[0]]
                del used[0]
        else:
            value = cache.get(key) if action == "get" else cache.pop(key)
            assert (None if found is None else found[1]) == value
            if action == "get" and found is not None:
                used.append(found)

        assert (sum(size for *_, size in used), len(used)) == (cache.size, len(cache))


def test_a_value_over_the_limit_stays_until_the_next_one() -> None:
    """Since its caller is about to use it."""
    cache: SizedCache[str, str] = SizedCache(LIMIT)
    cache.put("small", "s", 1)
    cache.put("large", "l", LIMIT + 1)
    assert (cache.get("large"), cache.get("small"), cache.size) == ("l", None, LIMIT + 1)

    cache.put("small", "s", 1)
    assert (cache.get("small"), cache.get("large"), cache.size) == ("s", None, 1)


def test_idle_values_are_dropped_a_few_at_a_time() -> None:
    """Fewer where they are large; and what is used meanwhile stays."""
    cache: SizedCache[int, int] = SizedCache(1 << 30)
    for number in range(1000):
        cache.put(number, number, 1 if number < 500 else 40_960)
    slices = [sum(1 for _ in cache.evict_idle())]
    evicting = cache.evict_idle()
    next(evicting)
    left = len(cache)
    assert cache.get(999) == 999
    slices.append(sum(1 for _ in evicting))
    assert (slices[0], left, len(cache), cache.size) == (0, 950, 1, 40_960)
    assert slices[1] >= 500 / 50 + 500 / 5 - 2


def test_filters_and_their_dropped_positions_count_as_what_they_take() -> None:
    """Each text, and each kind of dropped commit, so that the dropped positions of idle filters are bounded."""
    small, large = JobFilter(owner="o"), JobFilter(owner="o")
    for number in range(limits.LABELS):
        large.labels[f"{number}"] = "v" * limits.LABEL_VALUE_LENGTH
    sizes = [
        JobCriteria.of(wanted, narrow(ANONYMOUS, wanted, with_parent=True)).size for wanted in (small, large)
    ]
    assert sizes[0] + limits.LABELS * limits.LABEL_VALUE_LENGTH < sizes[1]

    drops = DroppedPositions()
    before = drops.size
    for payloads in range(1, 1001):
        drops.add(payloads, payloads)
    once = drops.size
    for payloads in range(1, 1001):
        drops.add(payloads, 2 * payloads)
    assert before + 1000 * 100 < once == drops.size
