"""Spawn with the library's own Process: its class is found again by its name."""

import multiprocessing


def say(word):
    print(word)


if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        process = context.Process(target=say, args=(method,))
        process.start()
        process.join()
