"""One answers the other through a socket, which orders them behind our back."""

import socket
from multiprocessing import Process, Queue, set_start_method


def answer(server, queue):
    connection, _ = server.accept()
    queue.put(connection.recv(10))
    connection.sendall(b"pong")


def ask(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"ping")
        connection.recv(10)


if __name__ == "__main__":
    set_start_method("fork")
    server, queue = socket.create_server(("127.0.0.1", 0)), Queue()
    both = [
        Process(target=answer, args=(server, queue)),
        Process(target=ask, args=(server.getsockname()[1],)),
    ]
    for one in both:
        one.start()
    queue.get()
    for one in both:
        one.join()
