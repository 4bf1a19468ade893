"""Processes to which something is done: METHOD WHAT."""

import multiprocessing
import os
import signal
import sys
import threading


def hold(lock):
    with lock:
        print("has it")
    print("gave it back")


def sleep(event):
    event.wait()
    print("awake")


def handle(lock, event, how):
    def handler(number, frame):
        print("told to end in", frame.f_code.co_name)
        with lock:
            print("has it")
        if how == "leave":
            sys.exit(3)
        print("stays")

    assert signal.signal(signal.SIGTERM, handler) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is handler
    if how == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("first")
    with lock:
        print("second")
    event.wait()
    print("last")


def put(queue):
    queue.put("x" * 500_000)
    print("has put")


def help_out(lock):
    thread = threading.Thread(target=hold, args=(lock,), name="helper")
    thread.start()
    thread.join()


def stop_itself():
    print("before")
    os.kill(os.getpid(), signal.SIGSTOP)
    print("after")


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def together(target, *args, names="AB"):
    children = [multiprocessing.Process(target=target, args=args, name=name) for name in names]
    for child in children:
        child.start()
    return children


def main(what):
    lock, event = multiprocessing.Lock(), multiprocessing.Event()
    match what:
        case "hold":
            children = together(hold, lock)
        case "sleep":
            children = together(sleep, event)
            event.set()
        case "leave" | "stay" | "ignore":
            children = together(handle, lock, event, what, names="A")
            event.set()
        case "put":
            queue = multiprocessing.Queue()
            children = together(put, queue, names="A")
            print(len(queue.get()))
        case "thread":
            children = together(help_out, lock, names="A")
        case "signals":
            children = together(hold, lock)
            for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL):
                os.kill(children[0].pid, number)
        case "stops":
            children = together(stop_itself, names="A")
        case "kills":
            children = together(kill_itself, names="A")
        case "terminates":
            children = together(handle, lock, event, "leave", names="A")
            children[0].terminate()
    for child in children:
        child.join()
    print([child.exitcode for child in children])


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main(sys.argv[2])
