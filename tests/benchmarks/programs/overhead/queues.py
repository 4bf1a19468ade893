"""Queue-heavy: words go through a queue to two workers, and what they make of them comes back."""

import sys
from multiprocessing import Process, Queue


def shifted(letter):
    return chr((ord(letter) - 97 + 13) % 26 + 97)


def rot13(word):
    return "".join(shifted(letter) for letter in word)


def worker(todo, done):
    while (word := todo.get()) is not None:
        done.put(rot13(word))


def produce(todo, count):
    for number in range(count):
        todo.put("abcdefghij"[number % 5 :])
    for _ in range(2):
        todo.put(None)


def main():
    count = int(sys.argv[1])
    todo, done = Queue(100), Queue()
    processes = [Process(target=worker, args=(todo, done)) for _ in range(2)]
    processes.append(Process(target=produce, args=(todo, count)))
    for process in processes:
        process.start()
    letters = sum(len(done.get()) for _ in range(count))
    for process in processes:
        process.join()
    assert letters == sum(10 - number % 5 for number in range(count))


if __name__ == "__main__":
    main()
