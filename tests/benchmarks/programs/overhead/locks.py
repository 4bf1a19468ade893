"""Lock-heavy: clerks move money between accounts; each move takes two locks, in order."""

import random
import sys
from multiprocessing import Array, Lock, Process

ACCOUNTS = 8


def interest(balance):
    return balance * 3 // 1000


def fee(amount):
    return 1 if amount > 50 else 0


def move(locks, balances, source, target, amount):
    first, second = sorted((source, target))
    with locks[first], locks[second]:
        costs = fee(amount) + interest(amount)
        balances[source] -= amount
        balances[target] += amount - costs
        balances[target] += costs


def clerk(seed, locks, balances, moves):
    chance = random.Random(seed)
    for _ in range(moves):
        source, target = chance.sample(range(ACCOUNTS), 2)
        move(locks, balances, source, target, chance.randrange(100))


def main():
    moves = int(sys.argv[1])
    locks = [Lock() for _ in range(ACCOUNTS)]
    balances = Array("q", [1000] * ACCOUNTS, lock=False)
    clerks = [Process(target=clerk, args=(n, locks, balances, moves)) for n in range(2)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert sum(balances) == 1000 * ACCOUNTS


if __name__ == "__main__":
    main()
