"""Nobody joins Ada: she has ended, and stays in the table of processes."""

import os
from multiprocessing import Process, Queue, set_start_method


def work(results):
    results.put("done")


def main():
    results = Queue()
    ada = Process(name="Ada", target=work, args=(results,))
    ada.start()
    print(results.get())
    os.waitid(os.P_PID, ada.pid, os.WEXITED | os.WNOWAIT)
    with open(f"/proc/{ada.pid}/stat", encoding="ascii") as file:
        print("state", file.read().rpartition(")")[2].split()[0], flush=True)
    os._exit(0)


if __name__ == "__main__":
    set_start_method("fork")  # a fork server would take notice of the end
    main()
