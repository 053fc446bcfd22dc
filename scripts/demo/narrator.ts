import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const STYLES: readonly Style[] = ['cyan', 'magenta', 'yellow', 'green', 'blue']
const hasColours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined

/** Tells what happens, as it happens: with colours on a terminal, as plain text elsewhere. */
export class Narrator {
  readonly #startedAt = performance.now()
  readonly #speakers: string[] = []

  /** A new part of the story. */
  chapter(title: string): void {
    console.log(`\n${paint('bold', title)}`)
  }

  /** Something that a service or the demo itself says. */
  say(speaker: string, text: string): void {
    if (!this.#speakers.includes(speaker)) this.#speakers.push(speaker)
    const style = STYLES[this.#speakers.indexOf(speaker) % STYLES.length] ?? 'white'
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5)
    console.log(`${paint('dim', `${seconds}s`)}  ${paint(style, speaker.padEnd(9))} ${text}`)
  }
}

function paint(style: Style, text: string): string {
  return hasColours ? styleText(style, text) : text
}
