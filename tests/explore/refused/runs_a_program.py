"""Two take two locks crosswise, and run another program in between."""

import subprocess
from multiprocessing import Lock, Process, set_start_method


def work(one, other):
    with one:
        subprocess.run(["true"], check=True)
        with other:
            pass


if __name__ == "__main__":
    set_start_method("fork")
    a, b = Lock(), Lock()
    Process(target=work, args=(a, b)).start()
    Process(target=work, args=(b, a)).start()
