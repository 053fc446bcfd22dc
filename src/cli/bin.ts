#!/usr/bin/env node
import { buffer } from 'node:stream/consumers'
import { main } from './main.js'

void main(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  readInput: () => buffer(process.stdin),
}).then((code) => {
  process.exitCode = code
})
