"""Two processes count words in the dictionary of a Manager, under its lock."""

import sys
from multiprocessing import Manager, Process, Semaphore

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]


def count(words, lock, turns, rounds):
    for number in range(rounds):
        word = WORDS[number % len(WORDS)]
        with turns, lock:
            words[word] = words.get(word, 0) + 1


def main():
    rounds = int(sys.argv[1])
    turns = Semaphore(2)
    with Manager() as manager:
        words, lock = manager.dict(), manager.Lock()
        counters = [Process(target=count, args=(words, lock, turns, rounds)) for _ in range(2)]
        for one in counters:
            one.start()
        for one in counters:
            one.join()
        assert sum(words.values()) == 2 * rounds


if __name__ == "__main__":
    main()
