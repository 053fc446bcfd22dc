import { BOOT_KEY, formatBoot, isAlive, parseBoot, type Boot } from '../identity/boot.js'

/** Whose a record is, by the boot id in its metadata. */
export class Ownership {
  readonly #own: Boot
  readonly #text: string

  constructor(own: Boot) {
    this.#own = own
    this.#text = formatBoot(own)
  }

  /** Whether this run wrote it. */
  isOurs(meta: Readonly<Record<string, string>>): boolean {
    return meta[BOOT_KEY] === this.#text
  }

  /** The other run that wrote it and lives, as far as can be told. */
  rivalOf(meta: Readonly<Record<string, string>>): Boot | undefined {
    const boot = parseBoot(meta[BOOT_KEY])
    return boot === undefined || boot.runId === this.#own.runId || isAlive(boot, this.#own) === false ? undefined : boot
  }

  /** Whether the run that wrote it is certain to be dead. */
  isDead(meta: Readonly<Record<string, string>>): boolean {
    const boot = parseBoot(meta[BOOT_KEY])
    return boot !== undefined && isAlive(boot, this.#own) === false
  }
}
