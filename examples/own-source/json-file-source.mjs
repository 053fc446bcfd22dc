// A source of instances over a JSON file, [{ "id", "name", "address", "port" }, …]. Used by 05-own-source.mjs.
import { readFile } from 'node:fs/promises'

/** Reads the file every `interval` milliseconds, and at once when told that it may have changed. */
export function jsonFileSource(path, interval = 100) {
  return {
    label: `the file ${path}`,
    observe(observer) {
      let timer
      let isClosed = false
      const read = async () => {
        clearTimeout(timer)
        try {
          const instances = JSON.parse(await readFile(path, 'utf8'))
          observer.onValue({ instances, confirmedAt: Date.now(), isContinuous: true })
        } catch (error) {
          observer.onFailure(error)
        }
        clearTimeout(timer)
        if (!isClosed) timer = setTimeout(read, interval)
      }
      const close = () => {
        isClosed = true
        clearTimeout(timer)
      }
      void read()
      return { refresh: read, close }
    },
  }
}
