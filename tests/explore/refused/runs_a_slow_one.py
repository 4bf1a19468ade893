"""It runs another program under a lock, which takes three seconds the first time."""

import subprocess
import sys
from multiprocessing import Lock, Process
from pathlib import Path


def work(lock, ran):
    with lock:
        seconds = "0" if ran.exists() else "3"
        ran.touch()
        subprocess.run(["sleep", seconds], check=True)


if __name__ == "__main__":
    Process(target=work, args=(Lock(), Path(sys.argv[1]))).start()
