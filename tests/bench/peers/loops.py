# SPDX-License-Identifier: MIT
#
# Python's side of the bench: loops.py asyncio|uvloop|gevent crowd N | echo PORT | streams PORT
#
# "crowd" is as in bine/tasks.c.  "echo" is a server, by a protocol, which is
# the faster of asyncio's two styles, or, with gevent, by a greenlet a connection; "streams" is asyncio's other, a task
# a connection.  Both serve until they are ended.
import sys
import time

YIELDS, LIVES, LEAST_ROUNDS = 50000, 10000, 3
BUFFER, BACKLOG = 4096, 4096


def memory():
    """Bytes that this process holds, its page tables included."""
    total = 0
    for name, key in (("smaps_rollup", "Rss:"), ("status", "VmPTE:")):
        with open("/proc/self/" + name) as file:
            total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(key))
    return total


def figure(name, value, unit):
    print("%s %.3f %s" % (name, value, unit), flush=True)


class Crowd:
    """What is measured; the clock of the switches starts when the last task has started."""

    def __init__(self, tasks):
        self.tasks, self.started = tasks, 0
        self.rounds = max(YIELDS // tasks, LEAST_ROUNDS)
        self.waves = LIVES // tasks + 1
        self.memory = memory()

    def begin(self):
        self.started += 1
        if self.started == self.tasks:
            self.memory = memory() - self.memory
            self.start = time.process_time_ns()

    def tell_yields(self):
        figure("yield", (time.process_time_ns() - self.start) / (self.rounds * self.tasks), "ns")
        figure("memory", self.memory / self.tasks, "bytes")
        self.start = time.process_time_ns()

    def tell_lives(self):
        figure("spawn", (time.process_time_ns() - self.start) / (self.waves * self.tasks), "ns")


# ---- asyncio, on its own loop or on uvloop's -------------------------------------------------------------


def run_asyncio(work, number):
    import asyncio

    async def measure():
        crowd = Crowd(number)

        async def yielder():
            crowd.begin()
            while crowd.started < crowd.tasks:
                await asyncio.sleep(0)
            for _ in range(crowd.rounds):
                await asyncio.sleep(0)

        async def nothing():
            pass

        for task in [asyncio.create_task(yielder()) for _ in range(number)]:
            await task
        crowd.tell_yields()
        for _ in range(crowd.waves):
            for task in [asyncio.create_task(nothing()) for _ in range(number)]:
                await task
        crowd.tell_lives()

    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(data)

    async def echo():
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", number, backlog=BACKLOG)
        await server.serve_forever()

    async def connection(reader, writer):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def streams():
        server = await asyncio.start_server(connection, "127.0.0.1", number, backlog=BACKLOG)
        await server.serve_forever()

    asyncio.run({"crowd": measure, "echo": echo, "streams": streams}[work]())


# ---- gevent ------------------------------------------------------------------------------------------------


def run_gevent(work, number):
    import socket

    import gevent
    from gevent.server import StreamServer

    def measure():
        gevent.sleep(0)  # makes the hub
        crowd = Crowd(number)

        def yielder():
            crowd.begin()
            while crowd.started < crowd.tasks:
                gevent.sleep(0)
            for _ in range(crowd.rounds):
                gevent.sleep(0)

        def nothing():
            pass

        gevent.joinall([gevent.spawn(yielder) for _ in range(number)])
        crowd.tell_yields()
        for _ in range(crowd.waves):
            gevent.joinall([gevent.spawn(nothing) for _ in range(number)])
        crowd.tell_lives()

    def connection(sock, _):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := sock.recv(BUFFER):
            sock.sendall(data)

    def echo():
        StreamServer(("127.0.0.1", number), connection, backlog=BACKLOG).serve_forever()

    {"crowd": measure, "echo": echo}[work]()


library, work, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
if library == "uvloop":
    import uvloop

    uvloop.install()
(run_gevent if library == "gevent" else run_asyncio)(work, number)
