"""The life of processes: subclasses, nested children, daemons, signals, exit codes."""

import multiprocessing
import os
import signal
import sys


class Baker(multiprocessing.Process):
    def __init__(self, answers):
        super().__init__(name="Baker", daemon=True)
        self.answers = answers

    def run(self):
        self.answers.put((self.name, self.daemon))


def child_of(answers, depth):
    parent = multiprocessing.parent_process()
    answers.put((depth, parent.name, parent.pid == os.getppid() or "forkserver" in sys.argv))
    if depth:
        inner = multiprocessing.Process(target=child_of, args=(answers, depth - 1))
        inner.start()
        inner.join()


def forever(ready):
    ready.set()
    multiprocessing.Event().wait()


def end_by(code):
    sys.exit(code)


def begin(target, *args):
    process = multiprocessing.Process(target=target, args=args)
    process.start()
    return process


def main():
    answers, ready = multiprocessing.Queue(), multiprocessing.Event()
    baker = Baker(answers)
    print(baker.exitcode, baker.is_alive(), baker.pid)
    baker.start()
    baker.join()
    print(answers.get(), baker.exitcode)
    outer = begin(child_of, answers, 2)
    outer.join()
    print(sorted(answers.get() for _ in range(3)), outer.exitcode)
    for method, number in (("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)):
        ready.clear()
        process = begin(forever, ready)
        ready.wait()
        process.join(timeout=0.01)
        print(process.is_alive(), process.exitcode, multiprocessing.active_children() == [process])
        getattr(process, method)()
        while process.exitcode is None:
            pass
        print(process.exitcode == -number, multiprocessing.active_children())
        process.terminate()
        process.close()
        try:
            process.join()
        except ValueError as error:
            print(error)
    codes = [begin(end_by, code) for code in (3, "a text", None)]
    for process in codes:
        process.join()
        print(process.exitcode, process.sentinel > 0)
    ready.clear()
    multiprocessing.Process(target=forever, args=(ready,), daemon=True).start()
    ready.wait()
    print("the daemon is left to the end")


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
