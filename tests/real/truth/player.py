"""Plays random programs: reads one plan a line from stdin, and runs it with real processes.

A plan says which primitives there are and what each process does with them (see ``plans``).
After each, a line on stdout says that only the main process is left and all is drained.
"""

import contextlib
import itertools
import json
import multiprocessing
import os
import queue
import sys
import threading
import time

LAST = "last"


class Player:
    """One process or thread at work; what it puts exists only once."""

    def __init__(self, context, things, name):
        self.context = context
        self.things = things
        self.name = name
        self.numbers = itertools.count(1)

    def play(self, script):
        for operation, *words in script:
            getattr(self, operation)(*words)

    def item(self):
        return f"{self.name}:{next(self.numbers)}"

    # -- locks -------------------------------------------------------------------------

    def hold(self, at, script):
        self.things[at].acquire()
        try:
            self.play(script)
        finally:
            self.release(at)

    def attempt(self, at, timeout, script):
        thing = self.things[at]
        if thing.acquire(False) if timeout == 0 else thing.acquire(True, timeout):
            try:
                self.play(script)
            finally:
                self.release(at)

    def release(self, at):
        # Another may have released it, which is a fault of the program that it may have.
        with contextlib.suppress(AssertionError, ValueError):
            self.things[at].release()

    def value_of(self, at):
        self.things[at].get_value()

    # -- meeting -----------------------------------------------------------------------

    def wait(self, at, timeout):
        with self.things[at] as _:
            self.things[at].wait(timeout)

    def notify(self, at, count):
        condition = self.things[at]
        with condition:
            if count:
                condition.notify(count)
            else:
                condition.notify_all()

    def set(self, at):
        self.things[at].set()

    def clear(self, at):
        self.things[at].clear()

    def is_set(self, at):
        self.things[at].is_set()

    def await_event(self, at, timeout):
        self.things[at].wait(timeout)

    def meet(self, at):
        self.things[at].wait()

    # -- messages ----------------------------------------------------------------------

    def put(self, at, timeout):
        with contextlib.suppress(queue.Full):
            self.things[at].put(self.item(), timeout > 0, timeout or None)

    def get(self, at, timeout):
        thing = self.things[at]
        try:
            thing.get(timeout > 0, timeout or None)
        except queue.Empty:
            return
        if hasattr(thing, "task_done"):
            thing.task_done()

    def empty(self, at):
        self.things[at].empty()

    def full(self, at):
        self.things[at].full()

    def put_simple(self, at):
        self.things[at].put(self.item())

    def send(self, at, end):
        self.things[at][end].send(self.item())

    def receive(self, at, end, timeout):
        connection = self.things[at][end]
        if connection.poll(timeout):
            connection.recv()

    # -- memory ------------------------------------------------------------------------

    def read(self, at):
        return self.things[at].value

    def write(self, at, number):
        self.things[at].value = number

    def increase(self, at):
        value = self.things[at]
        with value.get_lock():
            value.value += 1

    def read_place(self, at, place):
        return self.things[at][place]

    def write_place(self, at, place, number):
        self.things[at][place] = number

    # -- lives -------------------------------------------------------------------------

    def child(self, script, timeout):
        process = start(self.context, self.things, self.item(), script)
        process.join(timeout)
        process.is_alive()
        process.join()

    def thread(self, script, meanwhile):
        player = Player(self.context, self.things, self.item())
        thread = threading.Thread(target=player.play, args=(script,))
        thread.start()
        self.play(meanwhile)
        thread.join()

    def pause(self, seconds):
        time.sleep(seconds)

    def go_on(self):
        os.sched_yield()


def perform(method, things, name, script):
    Player(multiprocessing.get_context(method), things, name).play(script)


def start(context, things, name, script):
    method = context.get_start_method()
    process = context.Process(target=perform, args=(method, things, name, script))
    process.start()
    return process


def drain(kind, thing):
    """Takes out what is left, and looks at what remains."""
    if kind in ("Queue", "JoinableQueue", "SimpleQueue"):
        writer = threading.Thread(target=thing.put, args=(LAST,))  # it may be full
        writer.start()
        found = None
        while found != LAST:
            found = thing.get()
            if kind == "JoinableQueue":
                thing.task_done()
        writer.join()
        if kind == "JoinableQueue":
            thing.join()
        thing.close()
        if kind != "SimpleQueue":
            thing.join_thread()
    elif kind == "Pipe":
        for end in thing:
            while end.readable and end.poll(0):
                end.recv()
        for end in thing:
            end.close()
    elif kind in ("Semaphore", "BoundedSemaphore"):
        thing.get_value()
    elif kind in ("Value", "Array"):
        Player(None, [thing], "").play([["read", 0] if kind == "Value" else ["read_place", 0, 0]])


def run(plan):
    context = multiprocessing.get_context(plan["method"])
    things = [getattr(context, kind)(*arguments) for kind, *arguments in plan["things"]]
    scripts = enumerate(plan["scripts"])
    processes = [start(context, things, str(number), script) for number, script in scripts]
    for process in processes:
        process.join()
    for (kind, *_), thing in zip(plan["things"], things, strict=True):
        drain(kind, thing)


def main():
    if len(sys.argv) > 1:
        import mutants

        getattr(mutants, sys.argv[1])()
    for number, line in enumerate(sys.stdin):
        run(json.loads(line))
        print(f"played {number}", flush=True)


if __name__ == "__main__":
    main()
