/** The id of an instance: the same after a restart, different for each host and port. Characters that an id may not have become `-`. */
export function instanceId(name: string, hostname: string, port: number | undefined): string {
  const parts = [name, hostname, ...(port === undefined ? [] : [String(port)])]
  return parts.map((part) => part.replace(/[^A-Za-z0-9_.-]+/g, '-')).join('-')
}
