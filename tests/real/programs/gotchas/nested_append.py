"""What a Manager's dict gives away is a copy: to append to it changes nobody else's."""

from multiprocessing import Manager, Process


def leave_marks(marks):
    marks["Ada"].append("lost")
    marks["Bob"] += ["kept"]


def main():
    with Manager() as manager:
        marks = manager.dict(Ada=[], Bob=[])
        child = Process(name="Ada", target=leave_marks, args=(marks,))
        child.start()
        child.join()
        print("Ada", marks["Ada"], "Bob", marks["Bob"])


if __name__ == "__main__":
    main()
