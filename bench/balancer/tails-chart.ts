/** Draws latencies by percentile, one line a policy, both axes logarithmic, as SVG that reads on light and dark pages. */

/** One line. */
export interface Line {
  readonly name: string
  /** Sorted latencies in milliseconds. */
  readonly sorted: readonly number[]
}

const WIDTH = 760
const HEIGHT = 380
const LEFT = 64
const RIGHT = 190
const TOP = 44
const BOTTOM = 48
const COLOURS = ['#1a7f5a', '#c2410c', '#7c3aed', '#0369a1', '#6b7280', '#b45309']
const TICKS_MS = [1, 10, 100, 1_000]
const SHARES = [0.5, 0.9, 0.99, 0.999]

export function tailsChart(title: string, lines: readonly Line[]): string {
  const x = (share: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * -Math.log10(1 - share)) / 3
  const y = (ms: number): number =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.log10(Math.min(2_000, Math.max(1, ms)))) / Math.log10(2_000)
  const path = ({ sorted }: Line): string =>
    Array.from({ length: 61 }, (_, step) => 1 - 10 ** (-step / 20))
      .map((share) => `${x(share).toFixed(1)},${y(sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(1)}`)
      .join(' ')
  const grid = [
    ...TICKS_MS.map(
      (ms) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ms).toFixed(1)}" y2="${y(ms).toFixed(1)}" stroke="#9ca3af" stroke-opacity="0.4"/><text x="${LEFT - 8}" y="${(y(ms) + 4).toFixed(1)}" text-anchor="end">${ms} ms</text>`,
    ),
    ...SHARES.map(
      (share) =>
        `<line x1="${x(share).toFixed(1)}" x2="${x(share).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#9ca3af" stroke-opacity="0.4"/><text x="${x(share).toFixed(1)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">p${share * 100}</text>`,
    ),
  ]
  const drawn = lines.map((line, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? ''
    const at = TOP + 16 + index * 22
    return `<polyline points="${path(line)}" fill="none" stroke="${colour}" stroke-width="2.2"/><line x1="${WIDTH - RIGHT + 14}" x2="${WIDTH - RIGHT + 38}" y1="${at}" y2="${at}" stroke="${colour}" stroke-width="3"/><text x="${WIDTH - RIGHT + 44}" y="${at + 4}">${line.name}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#6b7280" role="img" aria-label="${title}">
<text x="${LEFT}" y="22" font-size="15">${title}</text>
${[...grid, ...drawn].join('\n')}
</svg>
`
}
