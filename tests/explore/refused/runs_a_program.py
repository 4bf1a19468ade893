"""Two take two locks crosswise, and run another program in between."""

import subprocess
from multiprocessing import Lock, Process


def work(one, other):
    with one:
        subprocess.run(["true"], check=True)
        with other:
            pass


if __name__ == "__main__":
    a, b = Lock(), Lock()
    Process(target=work, args=(a, b)).start()
    Process(target=work, args=(b, a)).start()
