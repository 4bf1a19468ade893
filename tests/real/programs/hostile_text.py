"""Text that is markup, escape sequences, very long, or no text at all."""

import multiprocessing
import os
import sys

LINES = [
    "[/foo]",
    "[bold]x",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "{it} %s \\",
    "日本 😀",
    "\u202e",
]


def write(jobs, name):
    for line in LINES:
        print(name, line)
        jobs.put(line * 100)
    sys.stdout.write("x" * 1_000_000 + "\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\xff\xfe by bytes\n")
    sys.stdout.buffer.flush()
    os.write(1, b"past python\n")
    sys.stderr.write("[/complaint]\n")


def main():
    jobs = multiprocessing.Queue()
    child = multiprocessing.Process(target=write, args=(jobs, "[/Ada]"), name="[/Ada]\x1b[31m")
    child.start()
    print([len(jobs.get()) for _ in LINES])
    child.join()
    sys.stdout.flush()
    write(jobs, "main")
    jobs.cancel_join_thread()


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
