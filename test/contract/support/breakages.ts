import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A fault of the service under test, which its tests have to notice. */
interface Breakage {
  /** What is replaced in its code by what. */
  readonly changes: readonly (readonly [code: string, broken: string])[]
  /** How many of the three tests are to fail. */
  readonly noticedBy: number
}

const GREETED = 'const [instance] = users.instances'

export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'greets wrongly': {
    changes: [['`${settings.value.greeting}, ${instance.id}`', '`${settings.value.greeting}; ${instance.id}`']],
    noticedBy: 3,
  },
  'knows only the instances that were there when it started': {
    changes: [
      ['await users.ready()', 'await users.ready()\n  const known = users.instances'],
      [GREETED, 'const [instance] = known'],
    ],
    noticedBy: 1,
  },
  'forgets its instances while Consul is down': {
    changes: [[GREETED, 'const [instance] = users.snapshot.stale ? [] : users.instances']],
    noticedBy: 1,
  },
  'does not read its configuration': {
    changes: [['${settings.value.greeting}, ', "${'Hello'}, "]],
    noticedBy: 1,
  },
}

/** A copy of `examples/testing` within the project, for it imports the package by its name, with the fault. Remove it afterwards. */
export async function brokenExamples(project: string, { changes }: Breakage): Promise<string> {
  const cache = join(project, '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'broken-examples-'))
  await cp(join(project, 'examples/testing'), folder, { recursive: true })
  const greeter = join(folder, 'greeter.mjs')
  let source = await readFile(greeter, 'utf8')
  for (const [code, broken] of changes) {
    if (!source.includes(code)) {
      await rm(folder, { recursive: true })
      throw new Error(`the greeter does not have ${code}`)
    }
    source = source.replace(code, () => broken)
  }
  await writeFile(greeter, source)
  return folder
}
