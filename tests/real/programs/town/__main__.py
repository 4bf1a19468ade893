"""What ``python -m town``, ``python town`` and ``python town.zip`` run; it fails at its end."""

import multiprocessing
import sys
from multiprocessing import Process, Queue


def greet(names):
    print("hello", names.get(), __name__, __package__, sys.argv, sys.path[0])


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    print(__name__, __package__, getattr(__spec__, "name", None), type(__loader__).__name__)
    print(sys.argv, sys.path[0], __file__)
    names = Queue()
    names.put("Ada")
    child = Process(target=greet, args=(names,))
    child.start()
    child.join()
    print(child.exitcode)
    raise SystemExit(child.exitcode + 3)
