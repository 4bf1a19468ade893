"""Names, items and output that would break a careless screen."""

from multiprocessing import Lock, Process, Queue

NAMES = ("[/foo]", "\x1b[31mred\x1b[0m", "日本語のとても長いプロセスの名前", "x" * 500)


def work(lock, box, name):
    with lock:
        box["\x1b]0;title\x07[bold]box[/]" + "箱" * 60].put(name)
        print(name * 3 + "\r\n\x07[/bar]")


def main():
    lock = {"[@click=app.quit]lock\n\n": Lock()}
    box = {"\x1b]0;title\x07[bold]box[/]" + "箱" * 60: Queue(4)}
    workers = [Process(name=name, target=work, args=(*lock.values(), box, name)) for name in NAMES]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
