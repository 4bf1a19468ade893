"""A plain list inside a manager's dict: who reads it has a copy, and appends to that."""

from multiprocessing import Manager, Process


def sign(book):
    book["names"].append("Ada")


if __name__ == "__main__":
    with Manager() as manager:
        book = manager.dict(names=[])
        ada = Process(target=sign, args=(book,))
        ada.start()
        ada.join()
        assert book["names"] == ["Ada"]
