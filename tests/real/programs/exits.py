"""The ways in which a child ends, and what its parent sees of them."""

import multiprocessing
import os
import signal
import sys


def leave(code):
    sys.exit(code)


def at_once(code):
    sys.stdout.flush()
    os._exit(code)


def sleep_on(event):
    event.wait()


def raising():
    raise LookupError("from a child")


def kill_oneself():
    os.kill(os.getpid(), signal.SIGUSR1)


def ended(target, *args, **options):
    process = multiprocessing.Process(target=target, args=args, **options)
    process.start()
    process.join()
    return process.exitcode


def main():
    for code in (0, 3, None, "a complaint", 300):
        print("sys.exit", code, ended(leave, code, name="Leaver"))
    print("os._exit", ended(at_once, 5))
    print("exception", ended(raising, name="Raiser"))
    print("signal", ended(kill_oneself))
    never = multiprocessing.Event()
    for method in ("terminate", "kill"):
        process = multiprocessing.Process(target=sleep_on, args=(never,))
        process.start()
        print("alive", process.is_alive(), process.exitcode)
        getattr(process, method)()
        process.join()
        print(method, process.is_alive(), process.exitcode)
    process = multiprocessing.Process(target=sleep_on, args=(never,))
    process.start()
    print("joined in vain", process.join(0.01), process.exitcode)
    process.kill()
    process.join()
    process.close()
    daemon = multiprocessing.Process(target=sleep_on, args=(never,), daemon=True)
    daemon.start()
    print("a daemon is left", daemon.daemon, len(multiprocessing.active_children()))
    sys.exit(7)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
