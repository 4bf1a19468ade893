"""What a manager keeps, and what goes wrong with it: nested things, errors, lost changes."""

import queue
from multiprocessing import Manager, Process


def work(name, board, log, inner, permits):
    log.append(name)
    board["plain"].append(name)  # into a copy: lost
    board["kept"].append(name)
    board[name] = inner
    with permits:
        board["n"] += 1
    try:
        for key in board:
            print(key)
    except AttributeError as error:
        print(error)


if __name__ == "__main__":
    with Manager() as manager:
        log, inner = manager.list(), manager.dict({1: "one"})
        board = manager.dict(plain=[], kept=log, n=0)
        permits, bounded = manager.Semaphore(1), manager.BoundedSemaphore(value=1)
        workers = [
            Process(target=work, args=(name, board, log, inner, permits), name=name)
            for name in ("Ada", "Bob")
        ]
        for worker in workers:
            worker.start()
        lock, rlock = manager.Lock(), manager.RLock()
        with rlock, rlock:
            board["n"] += 1
        for broken in (lock, rlock, bounded):
            try:
                broken.release()
            except (RuntimeError, ValueError) as error:
                print(type(error).__name__, error)
        print(lock.acquire(timeout=2), lock.acquire(False), lock.acquire(timeout=2))
        for worker in workers:
            worker.join()
        print(sorted(board), board["plain"], sorted(board["kept"]), str(board["Ada"]))
        try:
            board["nothing"]
        except KeyError as error:
            print("no", error)
        space, value, array = manager.Namespace(x=1), manager.Value("i", 3), manager.Array("i", [1])
        space.y = value
        value.value += space.x
        array[0] = space.y.value
        print(space.x, array, array[:], len(inner), 1 in inner, inner.copy())
        first, second = manager.Queue(), manager.JoinableQueue(1)
        second.put(first)
        try:
            second.put_nowait(1)
        except queue.Full:
            print("full", second.qsize(), first.empty())
        second.get().put(lambda: 0) if second.empty() else print("not empty")
