"""Three cooks share the orders; a manager's dict says which meals are served."""

from multiprocessing import Manager, Pool
from time import sleep


def cook(order):
    """Take the time it takes."""
    sleep(0.1)
    return order.upper()


def main():
    """Hand out all orders, then serve the meals in turn."""
    with Manager() as manager, Pool(3) as kitchen:
        served = manager.dict()
        orders = ["soup", "rice", "cake", "tea", "bread"]
        for number, meal in enumerate(kitchen.imap(cook, orders)):
            served[meal] = number
        print(served)


if __name__ == "__main__":
    main()
