import { findConsul } from '../consul-binary.js'

/** Finds the real Consul once, before any worker starts; the workers inherit the answer by the environment. */
export async function setup(): Promise<void> {
  await findConsul()
}
