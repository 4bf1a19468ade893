"""A class and a proxy of the program's own: a change by its method is one step, by hand two."""

from multiprocessing import Process
from multiprocessing.managers import NamespaceProxy, SyncManager


class Point:
    def __init__(self, x):
        self.x = x

    def move(self, by):
        self.x += by
        return self.x


class PointProxy(NamespaceProxy):
    _exposed_ = ("__getattribute__", "__setattr__", "__delattr__", "move")

    def move(self, by):
        return self._callmethod("move", (by,))


class Office(SyncManager):
    pass


Office.register("Point", Point, PointProxy)


def work(point, seen):
    point.move(1)
    point.x = point.x + 1
    seen.append(point)
    seen[0] = seen[-1].x


if __name__ == "__main__":
    with Office() as office:
        point, seen = office.Point(5), office.list([0])
        workers = [Process(target=work, args=(point, seen)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(point.x, seen[0], point.move(0))
