from multiprocessing import Pipe, Value, get_context

context = get_context("fork")


def read(reader, writer, value):
    writer.close()
    try:
        reader.recv()
    except EOFError:
        assert value.value == 2


def write(writer, value):
    value.value = 1


if __name__ == "__main__":
    value = Value("i", 0)
    reader, writer = Pipe(False)
    context.Process(target=read, args=(reader, writer, value)).start()
    context.Process(target=write, args=(writer, value)).start()
    writer.close()
