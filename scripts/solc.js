#!/usr/bin/env node
// The compiler of the npm package `solc`, spoken to as py-solc-x speaks to a native one:
// `--version`, and `--standard-json` from standard input to standard output.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const RELEASE = "0.8.37+commit.f401782d.Emscripten.clang";
const argv = process.argv.slice(2);

function basePath() {
  const at = argv.indexOf("--base-path");
  return at === -1 ? process.cwd() : argv[at + 1];
}

function findImport(name) {
  for (const folder of ["", "node_modules"]) {
    const file = path.join(basePath(), folder, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `not found: ${name}` };
}

if (argv.includes("--version")) {
  // py-solc-x asks before every compilation, and loading the compiler takes a second.
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${RELEASE}\n`);
} else if (argv.includes("--standard-json")) {
  const solc = require("solc");
  if (solc.version() !== RELEASE) {
    process.stderr.write(`scripts/solc.js expects solc ${RELEASE}, node_modules holds ${solc.version()}: run npm ci\n`);
    process.exitCode = 1;
  } else {
    // No process.exit anywhere: it would cut a pipe at 64 KiB.
    process.stdout.write(solc.compile(fs.readFileSync(0, "utf8"), { import: findImport }));
  }
} else {
  process.stderr.write("usage: solc.js --version | --standard-json [--base-path DIR]\n");
  process.exitCode = 2;
}
