import { expect, it } from 'vitest'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { threadProgram, threadProgramFile } from '../../../../../scripts/build/thread-program.js'

const PROJECT = fileURLToPath(new URL('../../../../../', import.meta.url))

it('is what the build makes of worker.ts: run `npm run build` after a change there', async () => {
  expect(await readFile(threadProgramFile(PROJECT), 'utf8')).toBe(await threadProgram(PROJECT))
})
