"""Whatever is killed while an instance is restored: nobody can use the halves, and the same command again ends it."""

from __future__ import annotations

import pytest

from handshaker.bootstrap import make_handshaker
from handshaker.occupancy import UNFINISHED, RestoreUnfinished
from tests.handshaker.backup.drill import Drill, unheard


class Killed(BaseException):
    """No handler runs in a killed process."""


def test_a_restore_that_is_killed_at_any_step_can_be_repeated(drill: Drill) -> None:
    drill.anchor()
    folder, manifest = drill.back_up()
    kept = drill.leaves()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    heard: list[str] = []
    drill.restore(folder, lambda what, done, of: heard.append(what))
    assert "putting in place" in heard
    unfinished = 0
    first = heard.index("staging")
    for at in range(first, len(heard)):
        left = iter(range(at))

        def die(what: str, done: int, of: int, left: object = left) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed

        with pytest.raises(Killed):
            drill.restore(folder, die)
        settings = drill.instance.handshaker.settings
        if (settings.instance / UNFINISHED).exists():
            unfinished += 1
            with pytest.raises(RestoreUnfinished):
                make_handshaker(settings)
        restored = drill.restore(folder, unheard)
        assert restored.reconciliation.is_held, heard[at]
        assert not (settings.instance / UNFINISHED).exists()
        assert drill.leaves() == kept
        assert drill.instance.handshaker.store.log.size() == manifest.log_size
    assert unfinished >= 6
    drill.accept()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()


def test_a_repeated_restore_needs_no_second_leave_to_replace(drill: Drill) -> None:
    folder, _ = drill.back_up()

    def die(what: str, done: int, of: int) -> None:
        if what == "putting in place":
            raise Killed

    with pytest.raises(Killed):
        drill.restore(folder, die)
    restored = drill.restore(folder, replacing=False)
    assert not restored.reconciliation.is_held
