"""Who is killed when: each crash point in turn, then anybody at any moment."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.campaign import plan
from tests.campaign.database import Database, moving
from tests.campaign.hospital import Hospital
from tests.campaign.load import Load
from tests.campaign.plan import WEB, WORKER, Step
from tests.campaign.processes import Life, Nursery

PATIENCE = 45.0
"""Seconds in which a point has to come by."""
_QUIET = 60.0
_LONGEST_LIFE = 8.0
_NODE_EVERY = 6.0
_NO_NODE = "chain-unreachable"


@dataclass
class Killing:
    """Starts and kills over one hospital under load, and keeps count."""

    hospital: Hospital
    nursery: Nursery
    load: Load
    stop: threading.Event
    tell: Callable[[str], None]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    lives: int = 0
    killed_at: Counter[str] = field(default_factory=Counter)
    killed_anywhere: int = 0
    nodes_killed: int = 0
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _alive: dict[str, Life] = field(default_factory=dict)

    # ---- in turn ----------------------------------------------------------------------------------------------------

    def turn(self, points: Sequence[str]) -> None:
        """Let processes die at each of ``points``, one after the other, in each kind of process at once."""
        first, *others = self.hospital.workers
        self._lane(first, [plan.step(point) for point in plan.FIRST if point in points])
        shares = plan.steps(points, WORKER, len(self.hospital.workers))
        lanes = [("web", plan.steps(points, WEB)[0]), *zip(self.hospital.workers, shares, strict=True)]
        self._at_once([partial(self._lane, name, share) for name, share in lanes])
        if forked := [plan.step(point) for point in plan.FORKED if point in points]:
            self._fork(first, others, forked)
        self._lane(first, [plan.step(point) for point in plan.LEAVING if point in points])

    def _lane(self, name: str, steps: Sequence[Step]) -> None:
        for step in steps:
            if self.stop.is_set():
                return
            if step.after:
                self._die_at(name, plan.step(step.after))
            with self.hospital.slow_blocks(step.point in plan.SLOW_BLOCKS):
                self._die_at(name, step)
        # Whoever has no more points serves the others.
        if not self.stop.is_set():
            self._serve(name)

    def _die_at(self, name: str, step: Step) -> None:
        """Live once, armed with a point, until it dies there or has had long enough."""
        self._end(name)
        life = self._begin(step.kind, name, step.point, step.settings)
        until = time.monotonic() + PATIENCE
        while not life.wait(0.2) and time.monotonic() < until and not self.stop.is_set():
            pass
        self._end(name)
        self.tell(f"{name}: {step.point}{'' if life.died_at else ' was not reached'}")

    def _at_once(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of it, each in a thread; what one of them meets is a failure of the campaign."""

        def tried(work: Callable[[], None]) -> None:
            try:
                work()
            except Exception as error:
                self.failures.append(f"the campaign itself met {type(error).__name__}: {error}")

        threads = [threading.Thread(target=tried, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # ---- a lost branch ----------------------------------------------------------------------------------------------

    def _fork(self, name: str, others: Sequence[str], steps: Sequence[Step]) -> None:
        """Acknowledge some readings, take their blocks from the chain, and die at each step of noticing it."""
        for each in (name, *others, "web"):
            self._serve(each)
        if not self.load.rest(_QUIET):
            self.failures.append("before the fork somebody was still waiting for an answer")
        self._become_quiet("before the fork")
        snapshot = self.hospital.ask("evm_snapshot")
        self.load.readings(3)
        self._become_quiet("after the readings of the lost branch")
        for each in (name, *others):
            self._end(each)
        self.hospital.ask("evm_revert", snapshot)
        self.hospital.ask("evm_mine")
        self._lane(name, steps)
        for each in others:
            # Their nonces came back too, and are filled before anybody else speaks.
            self._serve(each)
        self._become_quiet("after the fork")
        self.load.go_on()

    def _become_quiet(self, when: str) -> None:
        """Wait until nothing goes on by itself; what was refused may wait for its deadline."""
        database, until = Database(self.hospital), time.monotonic() + _QUIET
        while (open_ := moving(database)) and time.monotonic() < until and not self.stop.is_set():
            time.sleep(0.05)
        if open_ and not self.stop.is_set():
            self.failures.append(f"{when} it did not become quiet: {'; '.join(open_[:5])}")

    # ---- at random --------------------------------------------------------------------------------------------------

    def at_random(self, seconds: float) -> None:
        """Kill everybody again and again, armed at some point or from outside at any moment."""
        until = time.monotonic() + seconds
        named = ((WEB, "web"), *((WORKER, name) for name in self.hospital.workers))
        works: list[Callable[[], None]] = [partial(self._random_lane, kind, name, until) for kind, name in named]
        if self.hospital.chain == "ganache":
            works.append(partial(self._node_lane, until))
        self._at_once(works)

    def _random_lane(self, kind: str, name: str, until: float) -> None:
        points = [point for point in plan.ALL if plan.step(point).kind == kind]
        self._end(name)
        while time.monotonic() < until and not self.stop.is_set():
            with self._lock:
                armed = (
                    f"{self.chance.choice(points)}:{self.chance.randint(1, 6)}" if self.chance.random() < 0.5 else ""
                )
                length = min(_LONGEST_LIFE, 0.1 + self.chance.expovariate(0.5))
            life = self._begin(kind, name, armed, {})
            life.wait(min(length, max(0.0, until - time.monotonic())))
            self._end(name)

    def _node_lane(self, until: float) -> None:
        while not self.stop.wait(min(_NODE_EVERY, max(0.0, until - time.monotonic()))) and time.monotonic() < until:
            self.nodes_killed += 1
            self.hospital.restart_node()
            self.tell("the node was killed and is back")

    # ---- lives ------------------------------------------------------------------------------------------------------

    def serve_all(self) -> None:
        """Let everybody live, unarmed."""
        for name in ("web", *self.hospital.workers):
            self._serve(name)

    def end_all(self) -> None:
        """Kill everybody."""
        for name in ("web", *self.hospital.workers):
            self._end(name)

    def _serve(self, name: str) -> None:
        """Let somebody of that name live, unarmed; whoever died meanwhile is noted."""
        if name in self._alive and self._alive[name].exit_code is None:
            return
        self._end(name)
        self._begin(WEB if name == "web" else WORKER, name, "", {})

    def _begin(self, kind: str, name: str, armed: str, settings: Mapping[str, str]) -> Life:
        life = self.nursery.start(kind, name, armed=armed, **settings)
        with self._lock:
            self.lives += 1
            self._alive[name] = life
        return life

    def _end(self, name: str) -> None:
        """Kill who bears that name, if anybody lives, and note once how they died."""
        life = self._alive.pop(name, None)
        if life is None:
            return
        life.kill()
        with self._lock:
            if life.died_at:
                self.killed_at[life.died_at] += 1
            elif not life.failure:
                self.killed_anywhere += 1
            elif not (self.nodes_killed and _NO_NODE in life.failure):
                # A worker that begins while the node is away says so and ends, for whoever started it to try again.
                self.failures.append(life.failure)
