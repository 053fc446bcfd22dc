/** How long a latency is remembered: Finagle's. Shorter memories suit few and busy callers, and let many call a slow one again. */
export const LATENCY_TAU_MS = 10_000

/**
 * A moving average that jumps to a peak at once and comes down slowly, and fades while there is nothing new: so an instance that was slow
 * is tried again, later the slower it was.
 */
export class PeakLatency {
  #value = -1
  #at = 0

  /** Milliseconds at a moment; negative as long as nothing is known. Always a number, which costs no object. */
  at(now: number): number {
    return this.#value * fading(now - this.#at)
  }

  /** The last value as it was then. */
  get last(): number | undefined {
    return this.#value < 0 ? undefined : this.#value
  }

  add(latencyMs: number, now: number): void {
    const weight = fading(now - this.#at)
    const faded = this.#value * weight
    this.#value = latencyMs >= faded ? latencyMs : faded * weight + latencyMs * (1 - weight)
    this.#at = now
  }

  /** As if it had never been called. */
  forget(): void {
    this.#value = -1
  }
}

/** About e^(-age/tau): the first terms of its series, which cost a tenth of it and fall a little later. */
function fading(ageMs: number): number {
  if (ageMs <= 0) return 1
  const x = ageMs / LATENCY_TAU_MS
  return 1 / (1 + x * (1 + x * (0.5 + x / 6)))
}
