// A server on `vscode-jsonrpc`, which answers what it was told to answer.
"use strict";

const {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} = require("vscode-jsonrpc/node");

const initialized = require("./initialize.json");

const connection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);

connection.onRequest("initialize", () => initialized);

// What a method is answered from now on. The answer is serialised for each request.
connection.onNotification("peer/answer", ({ method, result }) => {
  connection.onRequest(method, (params) => {
    if (params === null || typeof params !== "object") {
      return new ResponseError(ErrorCodes.InvalidParams, "no parameters");
    }
    return result;
  });
});

connection.onRequest("shutdown", () => null);
connection.onNotification("exit", () => process.exit(0));
connection.onClose(() => process.exit(1));
connection.listen();
