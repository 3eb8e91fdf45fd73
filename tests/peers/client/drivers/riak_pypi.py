"""Drives PyPI's riak by the orders that ../src/order.rs formats.

The client blocks, and makes one call at a time on each connection, so it is called from
threads. It was written for Python 2 and 3.6: the names that Python has removed since are
restored before the import.
"""

import collections
import collections.abc
import os
import socket
import sys
import threading
import time

for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
_namedtuple = collections.namedtuple
collections.namedtuple = lambda *args, verbose=False, **kwargs: _namedtuple(*args, **kwargs)

# Forces TCP_NODELAY on clients that do not set it.
if "--nodelay" in sys.argv:
    _create_connection = socket.create_connection

    def create_connection(*args, **kwargs):
        made = _create_connection(*args, **kwargs)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    socket.create_connection = create_connection

import riak  # noqa: E402

BUCKET, KEY, VALUE_LEN = os.environ["BUCKET"], os.environ["KEY"], int(os.environ["VALUE_LEN"])
WARM_UP = 0.05


def run(host, port, in_flight, connections, milliseconds):
    client = riak.RiakClient(protocol="pbc", host=host, pb_port=port)
    bucket = client.bucket(BUCKET)
    calls = [0] * in_flight
    times = []
    state = {"counting": False, "over": False, "failure": None}
    # The pool opens as many connections as there are concurrent calls, so limit these.
    limit = threading.Semaphore(connections)
    every = 13 if in_flight > 1 else 1

    def loop(index):
        until_timed = 1
        while not state["over"]:
            begun = None
            if state["counting"]:
                until_timed -= 1
                if until_timed == 0:
                    until_timed = every
                    begun = time.perf_counter_ns()
            try:
                with limit:
                    length = len(bucket.get(KEY).encoded_data)
                if length != VALUE_LEN:
                    raise ValueError("it got a value of %d bytes" % length)
            except Exception as error:
                state["failure"] = state["failure"] or repr(error)
                state["over"] = True
                return
            calls[index] += 1
            if begun is not None:
                times.append(time.perf_counter_ns() - begun)

    threads = [threading.Thread(target=loop, args=(index,)) for index in range(in_flight)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP)
    state["counting"] = True
    begun = sum(calls), time.process_time_ns(), time.perf_counter_ns()
    time.sleep(milliseconds / 1000)
    ended = sum(calls), time.process_time_ns(), time.perf_counter_ns()
    state["over"] = True
    for thread in threads:
        thread.join()
    client.close()
    if state["failure"]:
        raise RuntimeError(state["failure"])
    times.sort()

    def at(per_cent):
        return times[len(times) * per_cent // 100] if times else 0

    made, cpu, elapsed = (after - before for before, after in zip(begun, ended))
    return "ran %d %d %d %d %d" % (made, elapsed, cpu, at(50), at(99))


print("ready", flush=True)
for line in sys.stdin:
    what, server, *numbers = line.split()
    host, port = server.rsplit(":", 1)
    try:
        if what != "run":
            raise ValueError("it does not know `%s`" % what)
        print(run(host, int(port), *map(int, numbers)), flush=True)
    except Exception as error:
        print("no " + str(error).replace("\n", " "), flush=True)
