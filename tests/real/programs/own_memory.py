"""What is shared and what is not: globals, arguments, what a manager gives away."""

import multiprocessing
import sys

total = 0
seen = []


def count(by, given):
    global total
    total += by
    seen.append(by)
    given.append(by)
    print("child", total, seen, given)


def append(marks):
    marks["kept"] += [1]
    marks["lost"].append(1)


def main():
    global total
    given = [0]
    total = 100 if sys.argv[1] == "fork" else 0
    for by in (5, 6):
        child = multiprocessing.Process(target=count, args=(by, given))
        child.start()
        child.join()
    print("main", total, seen, given)
    with multiprocessing.Manager() as manager:
        marks = manager.dict(kept=[], lost=[])
        child = multiprocessing.Process(target=append, args=(marks,))
        child.start()
        child.join()
        print(marks["kept"], marks["lost"])


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
