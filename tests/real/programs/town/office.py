"""A file that makes a primitive and waits for it, and is not the main one."""

from multiprocessing import Lock

counter = Lock()


def serve(who):
    with counter:
        print(who, "is served in", __name__)
