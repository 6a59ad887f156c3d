import asyncio

from sexton_client import SextonClient


async def main() -> None:
    async with SextonClient.spawn(project=".") as client:
        automation = await client.automations.create(
            title="Count",
            kind="recurring",
            rhythm={"kind": "cron", "expression": "0 9 * * 1-5"},
            task={"kind": "command", "program": "seq", "args": ["3"]},
        )
        print(automation["title"], "is next due at", automation["state"]["nextFireAt"])
        run = await client.automations.run(automation["id"])
        async for part in client.output(run["id"]):
            print(part.text, end="")
        print((await client.wait(run["id"]))["state"])


asyncio.run(main())
