"""Two take two locks crosswise, again and again."""

import subprocess
from multiprocessing import Lock, Process, set_start_method


def work(one, other):
    while True:
        with one, other:
            pass


if __name__ == "__main__":
    set_start_method("fork")
    subprocess.run(["true"], check=True)
    a, b = Lock(), Lock()
    Process(target=work, args=(a, b)).start()
    Process(target=work, args=(b, a)).start()
