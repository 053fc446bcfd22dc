// Keeps the two tests in this folder apart from those of the project: `npx vitest run --root examples/testing`.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { globals: true, include: ['*.test.js'] } })
