import time

import sexton_client

with sexton_client.open(project=".") as sexton:
    events = sexton.events(kinds=["run.updated"])
    sexton.automations.create(
        title="Hello",
        kind="oneshot",
        fireAt=int(time.time() * 1000) + 1000,
        task={"kind": "command", "program": "echo", "args": ["hello"]},
    )
    for event in events:
        if event["kind"] != "run.updated":
            continue
        run = event["run"]
        print(run["state"])
        if run["completedAt"] is not None:
            break
    for part in sexton.output(run["id"]):
        print(part.text, end="")
