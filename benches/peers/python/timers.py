"""Rings timers with APScheduler.

A line with `dueMs` sets a timer for each of these instants and is answered by `true`; when all have rung, a line says
when each did. The line `"so far"` asks for that before. With an argument, jobs are stored in the SQLite file of that
name.
"""

import json
import sys
from datetime import datetime, timezone
from threading import Lock
from time import time

from apscheduler.schedulers.background import BackgroundScheduler

LOCK = Lock()
RANG = []
LEFT = 0


def say(answer):
    print(json.dumps(answer), flush=True)


def ring(index):
    global LEFT
    at = time() * 1000
    with LOCK:
        RANG[index] = at
        LEFT -= 1
        if LEFT == 0:
            say(RANG)


def set_timers(scheduler, due_ms):
    global LEFT
    RANG[:] = [None] * len(due_ms)
    LEFT = len(due_ms)
    for index, ms in enumerate(due_ms):
        scheduler.add_job(ring, "date", run_date=datetime.fromtimestamp(ms / 1000, timezone.utc), args=[index])
    say(True)


def so_far():
    global LEFT
    with LOCK:
        if LEFT > 0:
            LEFT = 0
            say(RANG)


def main():
    stores = {}
    if len(sys.argv) > 1:
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

        stores["default"] = SQLAlchemyJobStore(url=f"sqlite:///{sys.argv[1]}")
    # By default a job that is more than a second late is dropped; here every one is to ring.
    scheduler = BackgroundScheduler(
        jobstores=stores, timezone=timezone.utc, job_defaults={"misfire_grace_time": None}
    )
    scheduler.start()
    for line in sys.stdin:
        asked = json.loads(line)
        if asked == "so far":
            so_far()
        else:
            set_timers(scheduler, asked["dueMs"])


if __name__ == "__main__":
    main()
