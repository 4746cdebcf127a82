// Runs Ganache for the program that started it.
//
// The first line on stdin is Ganache's options as JSON: so the mnemonic never shows in a list of processes or in an
// environment. Stdin stays open for as long as the parent lives; when it ends, however the parent died, so does Ganache.
// The first line on stdout is the address it listens on.
"use strict";

const readline = require("node:readline");

const EXIT = { failed: 1, portTaken: 3, databaseLocked: 4 };
const PATIENCE = 3000; // milliseconds for an orderly close

function fail(error) {
  const text = [error.message, error.cause && error.cause.message].filter(Boolean).join(": ") || String(error);
  process.stderr.write(`${text.split("\n")[0]}\n`);
  if (error.code === "EADDRINUSE") process.exit(EXIT.portTaken);
  process.exit(/LOCK: /.test(text) ? EXIT.databaseLocked : EXIT.failed);
}

let server;

function end() {
  setTimeout(() => process.exit(0), PATIENCE).unref();
  if (!server) process.exit(0);
  server.close().then(() => process.exit(0), fail);
}

async function serve(options) {
  const { host, port } = options.server;
  // What contracts print through console.log would mix with the line that the parent waits for.
  const logging = { ...options.logging, logger: { log() {} } };
  const { server: _, ...ganacheOptions } = { ...options, logging };
  server = require("ganache").server(ganacheOptions);
  await server.listen(port, host);
  process.stdout.write(`${host}:${server.address().port}\n`);
}

process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
process.on("SIGTERM", end);
process.on("SIGINT", end);

const lines = readline.createInterface({ input: process.stdin });
lines.once("line", (line) => serve(JSON.parse(line)).catch(fail));
lines.once("close", end);
