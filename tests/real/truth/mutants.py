"""Instrumentation that breaks the order on purpose, to see that the checker can complain."""

import collections
import contextlib
import os

from syncsim.core.operation import Verb
from syncsim.real.gate import Gate
from syncsim.real.probes import channels, processes
from syncsim.real.probes.library import connection, process
from syncsim.real.probes.semlock import SemLock


def _let_others():
    for _ in range(20):
        os.sched_yield()


def release_is_told_afterwards():
    def release(self):
        self._release()
        _let_others()
        with contextlib.suppress(ValueError):
            self.gate.give(Verb.RELEASE, self.key)

    SemLock.release = release
    SemLock.__exit__ = lambda self, *args: self.release()


def acquire_is_told_before():
    def acquire(self, block=True, timeout=None):
        self.gate._op(self.gate._point(Verb.ACQUIRE, self.key, "", None), "True")
        _let_others()
        return self._acquire(block, timeout)

    SemLock.acquire = SemLock.__enter__ = acquire


def a_try_lies():
    real = SemLock.acquire

    def acquire(self, block=True, timeout=None):
        if block and timeout is None:
            return real(self)
        self.gate._op(self.gate._point(Verb.ACQUIRE, self.key, "", None), "False")
        return False

    SemLock.acquire = acquire


def put_is_told_afterwards():
    def append(self, item):
        collections.deque.append(self, item)
        _let_others()
        self.gate.note(Verb.PUT, self.channel, detail=repr(item))

    channels._Buffer.append = append


def send_is_told_afterwards():
    real = connection.Connection._send

    def send(self, buf, write=os.write):
        real(self, buf, write)
        _let_others()

    def give(self, verb, *args, **keywords):
        return verb is Verb.SEND or gave(self, verb, *args, **keywords)

    def note(self, verb, *args, **keywords):
        told(self, Verb.SEND if verb is Verb.SENT else verb, *args, **keywords)

    gave, Gate.give = Gate.give, give
    told, Gate.note = Gate.note, note
    connection.Connection._send = send


def a_record_is_lost():
    real = Gate._put
    counted = [0]

    def put(self, line):
        counted[0] += b'"op"' in line
        if b'"op"' not in line or counted[0] % 7:
            real(self, line)

    Gate._put = put


def a_record_is_told_twice():
    real = Gate._put

    def put(self, line):
        real(self, line)
        if b'"op"' in line:
            real(self, line)

    Gate._put = put


def an_end_is_told_too_early():
    real = process.BaseProcess.start

    def start(self):
        real(self)
        SemLock.gate.write(processes.wire.Reaped(os.getpid(), self.pid, 0))

    process.BaseProcess.start = start
