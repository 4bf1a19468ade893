"""Two visitors, run as ``python -m town.visit [METHOD]``."""

import multiprocessing
import sys

import __main__

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])

from . import office


def come(who, bell):
    print(who, __name__, __package__, sys.argv, sys.path[0], __main__.__spec__ and "spec")
    office.serve(who)
    bell.set()


def main():
    print(__name__, __package__, __spec__.name, __spec__.origin == __file__, __loader__.name)
    print(sys.argv, sys.path[0], __file__, type(__builtins__), __cached__ is None)
    bell = multiprocessing.Event()
    visitors = [multiprocessing.Process(name=name, target=come, args=(name, bell)) for name in "AB"]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    print(bell.is_set(), [visitor.exitcode for visitor in visitors])


if __name__ == "__main__":
    main()
