"""Virtual managers: CPython's own ``managers.py`` but for the connections to a server.

A call of a proxy is an operation on what the server keeps (``model.managed``).  A lock or a
semaphore that a server keeps has the model of any other; what may sleep in the server does so in
two halves, as ``instrument/probes/managers`` has it.
"""

from __future__ import annotations

import gc
import inspect
import threading
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

from syncsim.program.ownership import claim
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.managed_object import ROOT
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.manager_proxies import (
    ManagerOf,
    call_method,
    create,
    init_proxy,
    reduce_proxy,
)
from syncsim.virtual.stdlib.manager_server import desk_class, note_collection, start_server


def _refuse(words: str) -> Callable[..., Any]:
    def refuse(*args: Any, **keywords: Any) -> Any:
        raise NotVirtualError(words)

    return refuse


def _no_connection(*args: Any, **keywords: Any) -> Any:
    return SimpleNamespace(close=lambda: None)


def _dispatch(c: Any, id: Any, methodname: str, args: Any = (), kwds: Any = {}) -> None:  # noqa: A002, B006
    """Answer what is asked of the server itself: nobody counts its references here."""
    if methodname not in ("incref", "decref"):
        raise NotVirtualError(f"a manager asked to {methodname}")


def _pool(*args: Any, **keywords: Any) -> Any:
    raise NotVirtualError("a Pool that a manager keeps")


def _private_import(real: Callable[..., Any], util: ModuleType) -> Callable[..., Any]:
    """``import`` as ``managers.py`` needs it."""
    own_util = SimpleNamespace(**vars(util), ForkAwareThreadLock=threading.Lock)
    connection = SimpleNamespace(Listener=None, Client=None, XmlListener=None, XmlClient=None)
    given = {
        "connection": SimpleNamespace(connection=connection),
        "pool": SimpleNamespace(pool=SimpleNamespace(Pool=_pool)),
        "util": SimpleNamespace(util=own_util),
        "shared_memory": SimpleNamespace(shared_memory=None),
    }

    def private_import(
        name: str,
        globals: Any = None,  # noqa: A002
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if level == 1 and not name and fromlist and fromlist[0] in given:
            return given[fromlist[0]]
        return real(name, globals, locals, fromlist, level)

    return private_import


def builtins_for(builtins: dict[str, Any], modules: dict[str, Any]) -> dict[str, Any]:
    """The builtins with which ``managers.py`` is loaded."""
    modules["multiprocessing.reduction"].register = lambda *_: None
    util = modules["multiprocessing.util"]
    return {**builtins, "__import__": _private_import(builtins["__import__"], util)}


def install(module: Any) -> None:
    """Puts operations in the place of connections."""
    module.Desk = desk_class(module.Server)
    module.dispatch = _dispatch
    for serializer in module.listener_client:
        module.listener_client[serializer] = (None, _no_connection)
    manager, proxy = module.BaseManager, module.BaseProxy
    manager._syncsim_plain = proxy._syncsim_plain = module.Token._syncsim_plain = True
    module.State._syncsim_plain = True
    manager.start, manager._create = start_server, create
    manager.connect = _refuse("a manager that is somewhere else")
    manager.get_server = _refuse("the server of a manager in a process of one's own")
    register = manager.register.__func__

    def register_of_its_own(cls: Any, *args: Any, **keywords: Any) -> None:
        if cls.__module__ == module.__name__:
            raise NotVirtualError(f"{cls.__name__}.register, not that of a class of its own")
        register(cls, *args, **keywords)

    manager.register = classmethod(register_of_its_own)
    module.SharedMemoryManager = _refuse("a SharedMemoryManager")
    proxy.__init__, proxy._callmethod, proxy.__reduce__ = init_proxy, call_method, reduce_proxy
    proxy._manager = ManagerOf()
    proxy._syncsim_id = lambda self: self._key if self._ident == ROOT else self._id
    make = module.MakeProxyType

    def make_proxy_type(name: str, exposed: Any) -> Any:
        made = make(name, exposed)
        _claim(made)
        return made

    module.MakeProxyType = make_proxy_type
    for made in make.__defaults__[0].values():
        _claim(made)
    _mind_proxies(pickling.private["multiprocessing.process"].BaseProcess, proxy)
    gc.callbacks.append(note_collection)


def _mind_proxies(base: Any, proxy: Any) -> None:
    """Refuses to start a process that alone has a proxy of something.

    Whether the server drops the thing before the child can take hold of it is a matter of luck.
    """
    real_start = base.start

    def start(self: Any) -> None:
        given = [weakref.ref(one) for one in _found((self._args, self._kwargs), proxy)]
        real_start(self)
        if any(one() is None for one in given):
            raise NotVirtualError("something of a manager of which a child alone has a proxy")

    base.start = start


def _found(value: Any, proxy: Any) -> Iterator[Any]:
    if isinstance(value, proxy):
        yield value
    elif isinstance(value, dict):
        yield from _found(tuple(value.values()), proxy)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found(item, proxy)


def _claim(cls: type) -> None:
    """The methods of proxies are made by ``exec`` and are the library's all the same."""
    for function in vars(cls).values():
        if inspect.isfunction(function):
            claim(function.__code__)
