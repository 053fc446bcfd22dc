import { Proconsul } from '../../src/proconsul.js'

/** A service that tells its state on standard output, once it is registered and whenever it changes. Arguments: address of the agent, id. */
const [address = '', id = ''] = process.argv.slice(2)
const client = new Proconsul({ address })
const registration = await client.registerService({ name: 'contained', id, port: 80, check: { ttl: '2s' } })
registration.on('lost', ({ reason }) => void process.stdout.write(`lost: ${reason}\n`))
process.stdout.write('registered\n')
