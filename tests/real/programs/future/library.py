"""A library of some future: its fork server is started by another command, in another way.

``python library.py spawn | subprocess | util [hang]``: how it starts the server.  The
children that it forks are none that syncsim has prepared.
"""

import atexit
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from multiprocessing import popen_forkserver, util

SERVER = """
import json, os, socket, sys
from multiprocessing import spawn
listener = socket.socket(fileno=int(sys.argv[1]))
sys.path[:] = json.loads(sys.argv[2])
while True:
    connection, _ = listener.accept()
    message, files, *_ = socket.recv_fds(connection, 4096, 2)
    if os.fork() == 0:
        listener.close()
        connection.sendall(b"%d\\n" % os.getpid())
        connection.close()
        data, alive = files
        with open(data, "rb") as reader:
            spawn.prepare(json.loads(message))
            from multiprocessing import process, reduction
            process.current_process()._inheriting = True
            child = reduction.pickle.load(reader)
            del process.current_process()._inheriting
        code = child._bootstrap()
        os.write(alive, b"%d\\n" % code)
        os._exit(code)
    for file in files:
        os.close(file)
    connection.close()
"""


class Server:
    """What stands in the place of ``multiprocessing.forkserver``."""

    def __init__(self, how):
        self._how = how
        self._name = None

    def start(self):
        folder = tempfile.mkdtemp()
        script = f"{folder}/server.py"
        with open(script, "w") as file:
            file.write(SERVER)
        listener = socket.socket(socket.AF_UNIX)
        self._name = f"{folder}/door"
        listener.bind(self._name)
        listener.listen()
        number = listener.fileno()
        os.set_inheritable(number, True)
        words = [sys.executable, script, str(number), json.dumps(sys.path)]
        if self._how == "spawn":
            pid = os.posix_spawn(sys.executable, words, os.environ)
        elif self._how == "subprocess":
            pid = subprocess.Popen(words, pass_fds=[number]).pid
        else:
            pid = util.spawnv_passfds(sys.executable.encode(), words, [number])
        atexit.register(self.end, pid, folder)
        listener.close()

    def end(self, pid, folder):
        os.kill(pid, signal.SIGTERM)
        shutil.rmtree(folder)

    def fork(self, message, files):
        if self._name is None:
            self.start()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._name)
            socket.send_fds(connection, [message], files)
            return int(connection.makefile().readline())


class Popen(popen_forkserver.Popen):
    """A child of that server."""

    def _launch(self, process_obj):
        from multiprocessing import context, reduction, spawn

        prepared = spawn.get_preparation_data(process_obj._name)
        message = json.dumps({k: v for k, v in prepared.items() if k != "authkey"}).encode()
        context.set_spawning_popen(self)
        try:
            data = bytes(reduction.ForkingPickler.dumps(process_obj))
        finally:
            context.set_spawning_popen(None)
        reader, writer = os.pipe()
        self.sentinel, alive = os.pipe()
        self.pid = server.fork(message, [reader, alive])
        os.close(reader)
        os.close(alive)
        with open(writer, "wb") as file:
            file.write(data)

    def poll(self, flag=os.WNOHANG):
        if self.returncode is None:
            if flag == os.WNOHANG and not multiprocessing.connection.wait([self.sentinel], 0):
                return None
            self.returncode = int(os.read(self.sentinel, 10) or 255)
        return self.returncode


class Process(multiprocessing.context.ForkServerProcess):
    """A process of that library."""

    @staticmethod
    def _Popen(process_obj):  # noqa: N802
        return Popen(process_obj)


def work(name, hangs):
    if hangs:
        time.sleep(600)
    with open(f"{name} was here", "w"):
        pass


if __name__ == "__main__":
    how, *hangs = sys.argv[1:]
    server = Server(how)
    children = [Process(target=work, args=(name, hangs), name=name) for name in ("Ada", "Bob")]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print([child.exitcode for child in children])
