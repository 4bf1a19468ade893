"""Readers share a page, writers change it alone: unless they are "wrong"; "one" lock for all."""

import sys
from multiprocessing import Lock, Process, Value, set_start_method


def read_page():
    print("reads")


def write_page():
    print("writes")


def read(door, room, readers, how):
    if how == "one":
        with room:
            read_page()
        return
    with door:
        readers.value += 1
        if readers.value == 1:
            room.acquire()
    read_page()
    with door:
        readers.value -= 1
        if readers.value == 0:
            room.release()


def write(room, how):
    if how == "wrong":
        write_page()
        return
    with room:
        write_page()


if __name__ == "__main__":
    set_start_method("fork")
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    door, room = Lock(), Lock()
    readers = Value("i", 0, lock=False)
    for name in ("Ada", "Bob"):
        Process(name=name, target=read, args=(door, room, readers, how)).start()
    for name in ("Cleo", "Dan"):
        Process(name=name, target=write, args=(room, how)).start()
