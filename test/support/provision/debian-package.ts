import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../process/run-command.js'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** The last Debian release that carries a package of Consul. */
const SUITE = 'bullseye'

/** Whether this machine has what {@link fetchDebianConsul} needs. */
export function canFetchFromDebian(): boolean {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get') && existsSync(KEYRING)
}

/**
 * Fetches Debian's package of Consul with apt, which checks its signature, and unpacks the program to `binary`. Lists and archives
 * live in `folder`, so that nothing of the system changes.
 */
export async function fetchDebianConsul(folder: string, binary: string): Promise<void> {
  const work = join(folder, 'apt')
  await rm(work, { recursive: true, force: true })
  await mkdir(join(work, 'lists', 'partial'), { recursive: true })
  await mkdir(join(work, 'archives', 'partial'), { recursive: true })
  const source = `deb [signed-by=${KEYRING}] ${await debianMirror()} ${SUITE} main\n`
  await writeFile(join(work, 'sources.list'), source)
  const apt = (...args: string[]): Promise<string> =>
    runCommand('apt-get', [...aptOptions(work), ...args], { cwd: work, within: 120_000 })
  await apt('update')
  await apt('download', 'consul')
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb'))
  if (archive === undefined) throw new Error('apt-get download consul left no package behind')
  await runCommand('dpkg', ['-x', archive, 'unpacked'], { cwd: work })
  await copyFile(join(work, 'unpacked', 'usr', 'bin', 'consul'), binary)
  await chmod(binary, 0o755)
  await rm(work, { recursive: true, force: true })
}

function aptOptions(work: string): string[] {
  return [
    `-oDir::Etc::SourceList=${join(work, 'sources.list')}`,
    '-oDir::Etc::SourceParts=/dev/null',
    `-oDir::State::Lists=${join(work, 'lists')}`,
    `-oDir::Cache=${work}`,
    '-oAPT::Sandbox::User=root',
    '-oAcquire::Retries=2',
  ]
}

/** The mirror this machine's apt is set up with: the only one that is sure to be reachable from here. */
async function debianMirror(): Promise<string> {
  const found = await listMirror()
  if (found !== undefined) return found
  await runCommand('apt-get', ['update'], { within: 120_000 })
  const afterUpdate = await listMirror()
  if (afterUpdate === undefined) throw new Error('apt knows no Debian mirror')
  return afterUpdate
}

async function listMirror(): Promise<string | undefined> {
  const targets = await runCommand('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
  return targets.split('\n').find((uri) => /\/debian\/?$/.test(uri))
}
