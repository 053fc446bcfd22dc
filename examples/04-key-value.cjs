// Reads and writes keys, with conditions, in a CommonJS project.
//
// Needs:    an agent at CONSUL_HTTP_ADDR, by default 127.0.0.1:8500.
// Run:      node examples/04-key-value.cjs
// Expected: undefined / red / false / blue / 3 / example-kv/colour,example-kv/count
const { Proconsul } = require('proconsul')

async function main() {
  const consul = new Proconsul()
  const { kv } = consul
  try {
    console.log(await kv.get('example-kv/colour'))

    await kv.set('example-kv/colour', 'red')
    const entry = await kv.get('example-kv/colour')
    console.log(entry.value)

    // Only if nobody has written since.
    console.log(await kv.set('example-kv/colour', 'green', { cas: entry.modifyIndex - 1 }))
    await kv.set('example-kv/colour', 'blue', { cas: entry.modifyIndex })
    console.log((await kv.get('example-kv/colour')).value)

    // Read, change, write, again if someone was faster.
    const increment = () => kv.update('example-kv/count', (value) => String(Number(value ?? 0) + 1))
    await Promise.all([increment(), increment(), increment()])
    console.log((await kv.get('example-kv/count')).value)

    console.log(String(await kv.keys('example-kv/')))
  } finally {
    await kv.deleteTree('example-kv/')
    await consul.close()
  }
}

main()
