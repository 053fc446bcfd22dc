import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { AgentNode, newNodeId } from '../../../src/testing/agent/agent-node.js'
import { Cluster } from '../../../src/testing/cluster/cluster.js'
import { Faults } from '../../../src/testing/faults/faults.js'
import { EMBEDDED_CONSUL_DEFAULTS } from '../../../src/testing/options.js'
import { agentRoutes } from '../../../src/testing/routes.js'
import { VERSIONS } from '../../../src/testing/versions.js'
import { FakeClock } from '../../support/fake-clock.js'

const page = readFileSync(new URL('../../../docs/reference/embedded-agent.md', import.meta.url), 'utf8')

/** The cells of the table below a heading, without its head. */
function tableBelow(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

const unquoted = (cell = ''): string => cell.replaceAll('`', '')

describe('the page about the embedded agent', () => {
  test('names every endpoint with its methods, and none that is not there', () => {
    const cluster = new Cluster('dc1', new FakeClock(), undefined)
    const node = new AgentNode({
      cluster,
      profile: VERSIONS['1.22'],
      identity: { nodeName: 'n', nodeId: newNodeId(), address: '127.0.0.1', isServer: true, rpcPort: 8300, meta: {} },
      reaper: { intervalMs: 1, minimumMs: 1 },
      random: () => 0,
    })
    const routes = agentRoutes(node, { minSessionTtlMs: 10_000 }).map(
      ({ path, methods }) => `${path} ${Object.keys(methods).join(', ')}`,
    )
    const rows = tableBelow('Endpoints').map(([path, methods]) => `${unquoted(path)} ${unquoted(methods)}`)
    expect(rows.sort()).toEqual(routes.sort())
  })

  test('says for every endpoint what is faithful or what is not there', () => {
    for (const row of tableBelow('Endpoints')) expect(row).toHaveLength(4)
  })

  test('names every fault', () => {
    const methods = Object.getOwnPropertyNames(Faults.prototype).filter(
      (name) => name !== 'constructor' && name !== 'take',
    )
    const rows = tableBelow('Faults').map(([fault]) => unquoted(fault).replace(/\(.*/, ''))
    expect(rows.sort()).toEqual(methods.sort())
  })

  test('gives the defaults that are in force', () => {
    const options = new Map(
      tableBelow('Options').map(([name, value]) => [unquoted(name), unquoted(value).replaceAll("'", '')]),
    )
    const { connectionsPerClient, reapInterval, minDeregisterAfter, minSessionTtl, ...rest } = EMBEDDED_CONSUL_DEFAULTS
    for (const [name, value] of Object.entries(rest)) expect(options.get(name)).toBe(String(value))
    const limits = { connectionsPerClient, reapInterval, minDeregisterAfter, minSessionTtl }
    for (const [name, value] of Object.entries(limits)) expect(options.get(`limits.${name}`)).toBe(String(value))
    const known = [...options.keys()].filter((name) => !name.includes('.'))
    expect(known).toHaveLength(12)
  })

  test('tells the transaction sizes of both versions', () => {
    const row = tableBelow('Versions').find(([what]) => what === 'operations in a transaction')
    expect(row?.slice(1)).toEqual(
      [VERSIONS['1.8'], VERSIONS['1.22']].map(({ txnMaxOperations }) => String(txnMaxOperations)),
    )
  })
})
