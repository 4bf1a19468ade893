"""To wait for one of several pipes, and for one of several processes."""

import multiprocessing
import sys
from multiprocessing.connection import wait


def work(n, end):
    end.send(n)
    end.send(n + 10)
    end.close()


def main():
    ends, processes = [], []
    for n in (1, 2):
        here, there = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=work, args=(n, there))
        process.start()
        there.close()
        ends.append(here)
        processes.append(process)
    print(type(wait(ends, 0)))
    got = []
    while ends:
        for end in wait(ends):
            try:
                got.append(end.recv())
            except EOFError:
                ends.remove(end)
    print(sorted(got))
    left = {process.sentinel for process in processes}
    while left:
        left -= set(wait(left))
    for process in processes:
        process.join()
    print([process.exitcode for process in processes], ends)
    here, there = multiprocessing.Pipe()
    print(wait([here], 0.2), wait([here, there], 0), wait([], 0))


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
