"""Instrumentation that breaks the order on purpose, to see that the checker can complain.

A race is lost for certain: the first process of two waits, once, until the other got in between.
"""

import collections
import contextlib
import fcntl
import os
import stat
import struct
import termios
import time

from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes import channels, processes
from syncsim.instrument.probes.library import connection, process
from syncsim.instrument.probes.semlock import RealSemLock, SemLock
from syncsim.instrument.record_writer import RecordWriter

_have_waited = []


def _let_others(get_in_between):
    first = sum(process.current_process()._identity) % 2 == 1
    if first and not _have_waited:
        _have_waited.append(True)
        end = time.monotonic() + 5  # the other may be through already
        while not get_in_between() and time.monotonic() < end:
            os.sched_yield()


def _let_others_have(lock):
    if lock.maxvalue == 1 and not lock.hidden:
        _let_others(lambda: RealSemLock._is_zero(lock))


def _tell_acquire(lock, result):
    gate = lock.gate
    n = gate._writer.point(Verb.ACQUIRE, lock.key, "", None, gate.here.call)
    gate._writer.op(gate.here.tid, n, result)


def release_is_told_afterwards():
    def release(self):
        self._release()
        _let_others_have(self)
        with contextlib.suppress(ValueError):
            self.gate.give(Verb.RELEASE, self.key)

    SemLock.release = release
    SemLock.__exit__ = lambda self, *args: self.release()


def acquire_is_told_before():
    def acquire(self, block=True, timeout=None):
        _tell_acquire(self, "True")
        _let_others_have(self)
        return self._acquire(block, timeout)

    SemLock.acquire = SemLock.__enter__ = acquire


def a_try_lies():
    real = SemLock.acquire

    def acquire(self, block=True, timeout=None):
        if block and timeout is None:
            return real(self)
        _tell_acquire(self, "False")
        return False

    SemLock.acquire = acquire


def put_is_told_afterwards():
    def append(self, item):
        collections.deque.append(self, item)
        items.append(repr(item))

    def note(self, verb, atom, *args, **keywords):
        told(self, verb, atom, *args, **keywords)
        while verb is Verb.SENT and items:
            told(self, Verb.PUT, atom, detail=items.pop(0))

    items = []
    channels._Buffer.append = append
    told, Gate.note = Gate.note, note


def send_is_told_afterwards():
    real = connection.Connection._send

    def left(file):  # bytes that nobody has received
        request = termios.TIOCOUTQ if stat.S_ISSOCK(os.fstat(file).st_mode) else termios.FIONREAD
        return struct.unpack("i", fcntl.ioctl(file, request, bytes(4)))[0]

    def send(self, buf, write=os.write):
        real(self, buf, write)
        _let_others(lambda: left(self.fileno()) == 0)

    def give(self, verb, *args, **keywords):
        return verb is Verb.SEND or gave(self, verb, *args, **keywords)

    def note(self, verb, *args, **keywords):
        told(self, Verb.SEND if verb is Verb.SENT else verb, *args, **keywords)

    gave, Gate.give = Gate.give, give
    told, Gate.note = Gate.note, note
    connection.Connection._send = send


def a_record_is_lost():
    real = RecordWriter.put
    counted = [0]

    def put(self, line):
        counted[0] += b'"op"' in line
        if b'"op"' not in line or counted[0] % 7:
            real(self, line)

    RecordWriter.put = put


def a_record_is_told_twice():
    real = RecordWriter.put

    def put(self, line):
        real(self, line)
        if b'"op"' in line:
            real(self, line)

    RecordWriter.put = put


def an_end_is_told_too_early():
    real = process.BaseProcess.start

    def start(self):
        real(self)
        SemLock.gate.write(processes.wire.Reaped(os.getpid(), self.pid, 0))

    process.BaseProcess.start = start
