# SPDX-License-Identifier: MIT
#
# Python's side of the work about generators: gens.py generator | greenlet
import sys
import time

VALUES = 2000000


def count():
    i = 0
    while True:
        yield i
        i += 1


def switches():
    import greenlet

    consumer = greenlet.getcurrent()

    def body():
        i = 0
        while True:
            consumer.switch(i)
            i += 1

    return greenlet.greenlet(body).switch


if sys.argv[1] == "generator":
    next_value = count().__next__
else:
    next_value = switches()
start = time.process_time_ns()
total = 0
for _ in range(VALUES):
    total += next_value()
print("next %.3f ns" % ((time.process_time_ns() - start) / VALUES))
sys.exit(total != VALUES * (VALUES - 1) // 2)
