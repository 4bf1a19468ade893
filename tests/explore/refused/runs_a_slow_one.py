"""It runs another program under a lock, which takes three seconds the first time."""

import subprocess
import sys
from multiprocessing import Lock, Process, set_start_method
from pathlib import Path


def work(lock, ran):
    with lock:
        seconds = "0" if ran.exists() else "3"
        ran.touch()
        subprocess.run(["sleep", seconds], check=True)


if __name__ == "__main__":
    set_start_method("fork")
    Process(target=work, args=(Lock(), Path(sys.argv[1]))).start()
