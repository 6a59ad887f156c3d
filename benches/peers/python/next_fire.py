"""Times `croniter`.

The first line read says what to do, and is answered by the fires; each line after it is one round, and is
answered by the nanoseconds per call of each expression.
"""

import json
import sys
from datetime import datetime
from time import perf_counter_ns
from zoneinfo import ZoneInfo

from croniter import croniter


def next_fire(cron, instant):
    """The next fire after an instant. The expression was read once, before."""
    cron.set_current(instant, force=True)
    return cron.get_next(datetime)


def one_round(crons, instants):
    took = []
    for cron in crons:
        began = perf_counter_ns()
        for instant in instants:
            next_fire(cron, instant)
        took.append((perf_counter_ns() - began) / len(instants))
    return took


def main():
    asked = json.loads(sys.stdin.readline())
    zone = ZoneInfo(asked["zone"])
    instants = [datetime.fromtimestamp(ms / 1000, zone) for ms in asked["instantsMs"]]
    crons = [croniter(expression, instants[0]) for expression in asked["expressions"]]
    fires = [[round(next_fire(cron, instant).timestamp() * 1000) for instant in instants] for cron in crons]
    print(json.dumps(fires), flush=True)
    for _ in sys.stdin:
        print(json.dumps(one_round(crons, instants)), flush=True)


if __name__ == "__main__":
    main()
