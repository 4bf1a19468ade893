"""The search on real processes: slower, for what cannot be virtual.

The same reduction as in the virtual world (``dpor``) visits one execution of each class; here each
of them is a run of the program.  As there may be too many, those with few delays come in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Grain
from syncsim.core.words.listing import counted
from syncsim.driver import OutOfTimeError
from syncsim.explore import hints
from syncsim.explore.bounds import REAL
from syncsim.explore.real.delays import FewDelays
from syncsim.explore.real.system import RealState, RealSystem
from syncsim.explore.request import Found, Report, Request
from syncsim.explore.search.dpor import DPOR, Execution
from syncsim.program.source import Program

#: An execution of so many steps may be one that never ends.  Then the short ones come first: so
#: many steps, and twice as many each time all were visited.
_LONG, _SHORT = 1_000, 20
#: After so many executions those with few delays are visited in turn with them.
_ALONE = 3
#: So many executions are made once more before it is believed that they are always the same.
_AGAIN = 3
#: Seconds between two reports.
_OFTEN = 0.2


class RealSearch:
    """Runs the program again and again, until each class of executions was visited, or a bound met.

    ``request.seconds`` bounds it in time, ``states`` the states, ``depth`` the choices in a row.
    """

    def __init__(
        self,
        program: Program,
        request: Request,
        on_progress: Callable[[Report], None] = lambda report: None,
    ) -> None:
        self._request = request
        self._began = time.monotonic()
        grain = Grain.CALL if request.by_call else Grain.ATOM
        self._system = RealSystem(program, grain, self._began + request.seconds, self._stepped)
        self._on_progress = on_progress
        self._told = self._began
        self._dpor: DPOR | None = None
        self._failures: dict[Verdict, Found] = {}
        self._ends: list[RealState] = []  # of the executions that were visited
        self._exits: set[int] = set()  # the exit codes of the main process
        self._depth = 0
        self._limit = ""

    def run(self) -> Report:
        """Search; what came of it."""
        try:
            complete = self._search()
        except OutOfTimeError:
            complete, self._limit = False, f"{self._request.seconds:g} seconds"
        except DivergenceError as error:
            complete, self._limit = False, str(error)
        finally:
            self._system.close()
        report = self._report()
        return msgspec.structs.replace(
            report, over=True, complete=complete and not (self._limit or report.doubt)
        )

    def _search(self) -> bool:
        """Search; return whether everything was visited."""
        system, most = self._system, self._request.depth
        depth, deepens = min(_LONG, most), False
        simple = FewDelays(system, depth).executions()
        visits = 0
        while True:
            killable, cut = len(system.killable), False
            self._ends.clear()
            self._dpor = dpor = DPOR(system, depth)
            for execution in dpor.executions():
                self._judge(execution)
                visits += 1
                if visits > _ALONE and (node := next(simple, None)) is not None:
                    self._look_at(node)
                cut = cut or execution.cut
                self._limit = self._bound()
                if self._limit:
                    return False
                if (
                    len(system.killable) > killable
                ):  # it matters when that process ends: begin again
                    break
                if cut and not deepens:
                    deepens, depth = True, min(_SHORT, most)
                    simple = FewDelays(system, depth).executions()
                    break
            else:
                if not cut:
                    return self._repeats()
                if depth == most:
                    self._limit = f"executions of {most:,} steps"
                    return False
                depth = min(2 * depth, most)

    def _bound(self) -> str:
        """The bound that has been met."""
        if self._request.first and self._failures:
            return "the first failure"
        most = self._request.states
        return counted(most, "state") if self._system.states > most else ""

    def _repeats(self) -> bool:
        """Return whether executions come out the same when they are made once more.

        (Failures will be, anyway.)
        """
        if self._failures:
            return True
        ends = [node for node in self._ends if not node.lost]
        some = [ends[at * len(ends) // _AGAIN] for at in range(_AGAIN) if ends]
        return all(map(self._system.repeats, some))

    def _judge(self, execution: Execution) -> None:
        if not execution.blocked:
            end: RealState = execution.state
            self._ends.append(end)
            self._look_at(end)

    def _look_at(self, node: RealState) -> None:
        """Judge an execution by its end."""
        self._depth = max(self._depth, node.depth)
        if node.exitcode is not None:
            self._exits.add(node.exitcode)
        for one in node.way():
            if one.failure is not None:
                self._found(one.failure, one)
                return
        if node.verdict is Verdict.DEADLOCK:
            self._found(node.verdict, node)

    def _found(self, verdict: Verdict, node: RealState) -> None:
        """Keep the shortest way to each kind of failure."""
        known = self._failures.get(verdict)
        if known is None or node.depth < known.moves:
            self._failures[verdict] = Found(verdict, node.schedule, node.depth)

    def _stepped(self) -> None:
        if time.monotonic() - self._told > _OFTEN:
            self._told = time.monotonic()
            self._on_progress(self._report())

    def _report(self) -> Report:
        system = self._system
        return Report(
            REAL,
            limit=self._limit,
            doubt=self._doubt(),
            hint=hints.THE_SAME_EACH_TIME
            if system.astray
            else hints.about(self._limit, self._request),
            states=system.states,
            transitions=system.steps,
            executions=len(self._ends),
            depth=self._depth,
            frontier=self._dpor.pending if self._dpor is not None else 0,
            seconds=time.monotonic() - self._began,
            failures=tuple(self._failures.values()),
            raced_for={name: sorted(who) for name, who in system.contested.items()},
            started=system.started,
            touched=system.touched,
            exits=tuple(sorted(self._exits)),
        )

    def _doubt(self) -> str:
        """Why nothing is proven, even where everything was visited."""
        system = self._system
        if system.astray:
            times = "once" if system.astray == 1 else f"{system.astray:,} times"
            return (
                "the program is not deterministic: under the same schedule it did something else "
                f"than before ({times})"
            )
        return system.unseen
