import type { Hold, LiveSource, Observer } from '../../live/live-source.js'
import { layersLabel } from '../layers/layer.js'
import type { Covered } from './cover-reader.js'
import { coverSource } from './cover-source.js'
import type { LayerState } from './layer-state.js'
import type { LayerScope, SourceParts } from './source-parts.js'
import { splitSource } from './split-source.js'

/**
 * Waits for the folder that the layers share, as long as it holds little else. Should it be crowded by others, now or later, or change
 * so often that most reads are for nothing, or should the token not be allowed to read all of it, it changes over to the layers alone.
 */
export function rootedSource(parts: SourceParts, scope: LayerScope, coverage: Covered): LiveSource<LayerState> {
  return {
    label: layersLabel(scope.layers),
    observe: (observer) => rootedHold(parts, scope, coverage, observer),
  }
}

function rootedHold(parts: SourceParts, scope: LayerScope, coverage: Covered, observer: Observer<LayerState>): Hold {
  let isClosed = false
  const changeOver = (known: LayerState | undefined): void => {
    // The observer may have closed this when it heard of the state.
    if (isClosed) return
    // Closed only, the query would go on for its grace time, and ask for the whole crowded folder.
    hold.pause?.()
    void hold.close()
    hold = splitSource(parts, scope, coverage.prefixes, known).observe(observer)
  }
  let hold = coverSource(parts, scope, coverage, changeOver).observe(observer)
  return {
    pause: () => hold.pause?.(),
    resume: () => hold.resume?.(),
    refresh: () => hold.refresh?.(),
    close: () => {
      isClosed = true
      return hold.close()
    },
  }
}
