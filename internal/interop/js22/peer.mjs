// A stock peer that speaks over js-libp2p too. It does what it is told as the one in the folder js does, with the packages
// of that: only libp2p is installed here.
import { createRequire } from 'node:module'
import libp2p from './libp2p.mjs'

const { serve, commands } = createRequire(import.meta.url)('../js/obey.cjs')

serve({ ...commands, ...libp2p })
