/** A path below `/v1` from literal text and encoded segments: path`/health/service/${name}`. */
export function path(literals: TemplateStringsArray, ...segments: readonly string[]): string {
  return literals.reduce((text, literal, index) => text + encodeURIComponent(segments[index - 1] ?? '') + literal)
}
