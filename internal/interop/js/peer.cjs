// A stock peer that does what it is told, see obey.cjs.
'use strict'
const { serve, commands } = require('./obey.cjs')

serve(commands)
