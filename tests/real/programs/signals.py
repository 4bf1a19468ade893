"""Condition, Event and Barrier."""

import multiprocessing
import sys


def wait_on(condition, cell, greeting):
    with condition:
        condition.wait_for(lambda: cell.value == 3)
    print(f"{greeting} saw {cell.value}")


def raise_to_three(condition, cell):
    for _ in range(3):
        with condition:
            cell.value += 1
            condition.notify_all()


def ping(one, other):
    one.set()
    print(f"pong came: {other.wait(60)}")


def meet(barrier):
    barrier.wait()
    print("through")


def together(*processes):
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print("exit codes", [process.exitcode for process in processes])


def main():
    condition, cell = multiprocessing.Condition(), multiprocessing.Value("i", 0)
    together(
        multiprocessing.Process(target=wait_on, args=(condition, cell, "one")),
        multiprocessing.Process(target=wait_on, args=(condition, cell, "two")),
        multiprocessing.Process(target=raise_to_three, args=(condition, cell)),
    )
    one, other = multiprocessing.Event(), multiprocessing.Event()
    together(
        multiprocessing.Process(target=ping, args=(one, other)),
        multiprocessing.Process(target=ping, args=(other, one)),
    )
    one.clear()
    print(one.is_set(), other.is_set(), one.wait(0.01))
    barrier = multiprocessing.Barrier(3)
    together(*(multiprocessing.Process(target=meet, args=(barrier,)) for _ in range(3)))
    print(barrier.parties, barrier.n_waiting, barrier.broken)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
