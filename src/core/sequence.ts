/** Runs tasks one at a time, in the order in which they were asked for. One that fails does not hold up the next. */
export class Sequence {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as the task does, once those before it are over. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => undefined)
    return await turn
  }
}
