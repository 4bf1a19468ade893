"""Ada asks 7 and 6, Bob answers 8 and 9."""

from multiprocessing import Pipe, Process


def ask(end):
    for question in (7, 6):
        end.send(question)
    for _ in range(2):
        end.recv()


def answer(end):
    for number in (8, 9):
        end.recv()
        end.send(number)


def main():
    line = Pipe()
    talkers = [
        Process(name="Ada", target=ask, args=(line[0],)),
        Process(name="Bob", target=answer, args=(line[1],)),
    ]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()


if __name__ == "__main__":
    main()
