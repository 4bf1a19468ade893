"""A task that waits for the next one, when there is one worker."""

from multiprocessing import Event, Pool, set_start_method


def share(event):
    global go
    go = event


def wait():
    go.wait()


def let():
    go.set()


if __name__ == "__main__":
    set_start_method("fork")
    with Pool(1, share, (Event(),)) as pool:
        first, second = pool.apply_async(wait), pool.apply_async(let)
        first.get()
