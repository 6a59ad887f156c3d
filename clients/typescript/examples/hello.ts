import { SextonClient } from "sexton-client";

await using client = await SextonClient.spawn({ project: process.cwd() });
const events = client.events({ kinds: ["run.updated"] });
await client.automations.create({
  title: "Hello",
  kind: "oneshot",
  fireAt: Date.now() + 1000,
  task: { kind: "command", program: "echo", args: ["hello"] },
});
for await (const event of events) {
  if (event.kind === "resync" || "ofLaterVersion" in event.run) continue;
  console.log(event.run.state, event.run.end?.tail ?? "");
  if (event.run.completedAt !== null) break;
}
