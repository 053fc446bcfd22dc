import type { TestProject } from 'vitest/node'
import { findConsul, findConsulIfAny } from '../consul-binary.js'

/** Finds the real Consul once, before any worker starts; the workers inherit the answer by the environment. */
export async function setup({ name }: TestProject): Promise<void> {
  // The contract is also held against the embedded agent, which is always there.
  await (name === 'contract' ? findConsulIfAny() : findConsul())
}
